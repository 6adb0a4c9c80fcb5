import { Button } from "@mantine/core";
import { count, plural } from "#renderer/ui/format.ts";
import { Small } from "#renderer/ui/page.tsx";
import style from "./device-pages.module.css";

/** Turns the pages of a table that is too long to be drawn at once. */
export const DevicePages = ({
  from,
  of,
  size,
  onTurn,
}: {
  /** Index of the first row that is shown. */
  readonly from: number;
  /** All rows. */
  readonly of: number;
  /** Rows on a page. */
  readonly size: number;
  readonly onTurn: (from: number) => void;
}) => {
  const end = Math.min(of, from + size);
  const next = Math.min(size, of - end);
  return (
    <nav className={style.pages} aria-label="Pages of devices">
      <Small>
        <span aria-live="polite">
          {count(from + 1)} to {count(end)} of {plural(of, "device")}
        </span>
      </Small>
      {from > 0 && (
        <Button size="xs" onClick={() => onTurn(from - size)}>
          Previous {size}
        </Button>
      )}
      {next > 0 && (
        <Button size="xs" onClick={() => onTurn(end)}>
          Next {next}
        </Button>
      )}
    </nav>
  );
};
