import { useEffect, useState } from "react";
import type { Transfer } from "#contract/views.ts";
import { Small } from "#renderer/ui/page.tsx";
import style from "./data.module.css";
import { progressText, type Sample, speedOf, withSample } from "./transfer-words.ts";

/** How far a download or a registration is. */
export const TransferLine = ({ transfer }: { readonly transfer: Transfer }) => {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const { done, total } = transfer;
  useEffect(() => {
    if (done !== undefined) setSamples((before) => withSample(before, { at: performance.now(), done }));
  }, [done]);
  const known = done !== undefined && total !== undefined && total > 0;
  return (
    <div className={style.transfer}>
      <progress
        {...(known ? { max: total, value: done } : {})}
        aria-label={`${transfer.name}: how far it is`}
      />
      <Small>{progressText(transfer, speedOf(samples))}</Small>
    </div>
  );
};
