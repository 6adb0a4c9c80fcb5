import { Button } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { EXPORT_FORMATS } from "#contract/export-formats.ts";
import { putTogether } from "#contract/exported.ts";
import type { Comparison, Exported } from "#contract/views.ts";
import { chartSvg, heightOf, WIDTH } from "#renderer/charts/export-chart.ts";
import { toPng } from "#renderer/charts/png.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { bytes } from "#renderer/ui/format.ts";
import { Problem } from "#renderer/ui/page.tsx";
import { bytesOfBase64, saveFile } from "#renderer/ui/save.ts";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import type { Address } from "./address.ts";
import { lastRoundOf, seriesOfRows } from "./compare-series.ts";
import style from "./export-dialog.module.css";
import { type ExportKind, fileStem, KINDS, moreText, previewOf } from "./export-preview.ts";
import { measureOf, titleOf } from "./figures.ts";

interface ExportProps {
  readonly opened: boolean;
  readonly address: Address;
  readonly comparison: Comparison;
  /** Lines that the page does not show either. */
  readonly hidden: ReadonlySet<string>;
  readonly onClose: () => void;
}

/** The table and its chart as files: shown first, then copied or saved. */
export const ExportDialog = ({ opened, onClose, ...rest }: ExportProps) => (
  <Dialog opened={opened} onClose={onClose} title="Export" size="xl" returnTo="export-comparison">
    <Export {...rest} />
  </Dialog>
);

interface Drawing {
  readonly filename: string;
  readonly svg: string;
  readonly isPng: boolean;
  readonly width: number;
  readonly height: number;
}
type File = Exported | Drawing;

const Export = ({ address, comparison, hidden }: Omit<ExportProps, "opened" | "onClose">) => {
  const [kind, setKind] = useState<ExportKind>(KINDS[0]!);
  const { file, problem } = useFile(kind, address, comparison, hidden);
  const toast = useToast();
  const drawing = file !== undefined && "svg" in file ? file : undefined;
  const isBinary = drawing?.isPng || (file !== undefined && "encoding" in file && file.encoding === "base64");
  const act = async (work: (ready: File) => Promise<void>, done: string) => {
    if (file === undefined) return;
    try {
      await work(file);
      toast({ tone: "ok", text: done });
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
    }
  };
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be drawn as one */}
      <div className={style.kinds} role="group" aria-label="Format">
        {KINDS.map((one) => (
          <Button key={one.key} size="xs" aria-pressed={one.key === kind.key} onClick={() => setKind(one)}>
            {one.label}
          </Button>
        ))}
      </div>
      <p className={style.about}>
        {kind.about} {isOfTable(kind) && `It shows ${measureOf(comparison)}.`}
      </p>
      <ScrollBox label={`Preview, ${kind.label}`} className={style.preview}>
        {problem !== undefined && <Problem text={problem} />}
        {problem === undefined && file === undefined && <p>The lab is writing the file …</p>}
        {file !== undefined && <Preview file={file} />}
      </ScrollBox>
      <div className={style.foot}>
        <span className={style.name}>{file?.filename}</span>
        <Button
          disabled={file === undefined || isBinary}
          title={isBinary ? "This file is not text. Save it instead." : undefined}
          onClick={() => act((ready) => copyText(textOf(ready)), `${kind.label} copied.`)}
        >
          Copy
        </Button>
        <Button
          variant="filled"
          disabled={file === undefined}
          onClick={() =>
            act(
              async (ready) => saveFile(ready.filename, await blobOf(ready)),
              `Saved ${file?.filename} to your downloads.`,
            )
          }
        >
          Save
        </Button>
      </div>
    </>
  );
};

const isOfTable = ({ key }: ExportKind): boolean =>
  key !== "svg" && key !== "png" && EXPORT_FORMATS[key].content === "table";

const Preview = ({ file }: { readonly file: File }) => {
  if ("svg" in file) {
    return (
      <img
        src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(file.svg)}`}
        alt="The chart on a white background"
      />
    );
  }
  if (file.encoding === "base64") {
    return (
      <p>
        A workbook of {bytes(bytesOfBase64(file.content).length)} with one sheet per table. Save it, then open
        it with Excel, LibreOffice or any program that reads .xlsx.
      </p>
    );
  }
  const { text, more } = previewOf(file.content);
  return (
    <>
      <pre>{text}</pre>
      {more > 0 && <p className={style.more}>{moreText(more)}</p>}
    </>
  );
};

/** Tables come from the lab, drawings are made here. */
const useFile = (kind: ExportKind, address: Address, comparison: Comparison, hidden: ReadonlySet<string>) => {
  const { client } = useStates();
  const [answer, setAnswer] = useState<{ of: string; file?: Exported; problem?: string }>();
  const { studies, runs, at } = address;
  const { metric } = comparison;
  const { key } = kind;
  const drawn = useMemo((): File | undefined => {
    if (key !== "svg" && key !== "png") return undefined;
    const series = seriesOfRows(comparison, metric).filter((line) => !hidden.has(line.key));
    const title = titleOf(comparison.rows);
    return {
      filename: `${fileStem(title, metric.id)}.${key}`,
      isPng: key === "png",
      width: WIDTH,
      height: heightOf(series),
      svg: chartSvg({
        title,
        metric,
        series,
        rounds: lastRoundOf(series),
      }),
    };
  }, [key, comparison, metric, hidden]);
  const wanted = JSON.stringify([key, studies, runs, at, metric.id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a comparison with more rounds makes another file
  useEffect(() => {
    if (key === "svg" || key === "png") return;
    const left = new AbortController();
    const { signal } = left;
    client.reports
      .render({ studies: [...studies], runs: [...runs], at, metric: metric.id, format: key }, { signal })
      .then(putTogether)
      .then(
        (file) => signal.aborted || setAnswer({ of: wanted, file }),
        (error: unknown) => signal.aborted || setAnswer({ of: wanted, problem: messageOf(error) }),
      );
    return () => left.abort();
  }, [client, wanted, comparison]);
  if (drawn !== undefined) return { file: drawn, problem: undefined };
  return answer?.of === wanted
    ? { file: answer.file, problem: answer.problem }
    : { file: undefined, problem: undefined };
};

const textOf = (file: File): string => ("svg" in file ? file.svg : file.content);

const blobOf = async (file: File): Promise<Blob> => {
  if ("svg" in file) {
    return file.isPng ? await toPng(file.svg, file) : new Blob([file.svg], { type: "image/svg+xml" });
  }
  return new Blob([file.encoding === "base64" ? bytesOfBase64(file.content) : file.content], {
    type: file.mediaType,
  });
};

/** A browser without a clipboard for this page says so. */
const copyText = async (text: string): Promise<void> => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    throw new Error("The browser blocked copying. Select the text in the preview, or save the file.");
  }
};
