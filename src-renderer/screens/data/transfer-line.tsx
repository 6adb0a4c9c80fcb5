import { useEffect, useState } from "react";
import type { Transfer } from "#contract/views.ts";
import { Small } from "#renderer/ui/page.tsx";
import { ProgressBar } from "#renderer/ui/progress-bar.tsx";
import { progressText, speedOf, type TransferSample, withSample } from "./transfer-text.ts";

const VERBS: Readonly<Record<Transfer["what"], string>> = {
  download: "Downloading",
  register: "Registering",
};

/** How far a download or a registration is. */
export const TransferLine = ({ transfer }: { readonly transfer: Transfer }) => {
  const [samples, setSamples] = useState<readonly TransferSample[]>([]);
  const { done, total, name, what } = transfer;
  useEffect(() => {
    if (done !== undefined) setSamples((before) => withSample(before, { at: performance.now(), done }));
  }, [done]);
  const isMeasured = done !== undefined && total !== undefined && total > 0;
  return (
    <div>
      <ProgressBar label={`${VERBS[what]} ${name}`} fraction={isMeasured ? done / total : undefined} />
      <Small>{progressText(transfer, speedOf(samples))}</Small>
    </div>
  );
};
