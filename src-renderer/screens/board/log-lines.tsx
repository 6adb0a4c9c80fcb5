import { VisuallyHidden } from "@mantine/core";
import { memo } from "react";
import type { BoardLogLine } from "#contract/boards.ts";
import { clock } from "#renderer/ui/format.ts";
import { looksLikeTrouble, STREAM_MARKS } from "./board-log.ts";

export const LogLines = memo(({ lines }: { readonly lines: readonly BoardLogLine[] }) => (
  <ol>
    {lines.map((line) => (
      <LogLine key={line.id} line={line} />
    ))}
  </ol>
));
LogLines.displayName = "LogLines";

const LogLine = memo(({ line }: { readonly line: BoardLogLine }) => {
  const { mark, word } = STREAM_MARKS[line.stream];
  return (
    <li data-stream={line.stream} {...(looksLikeTrouble(line) ? { "data-trouble": true } : {})}>
      <time dateTime={line.at}>{clock(line.at)}</time>
      <i title={word}>
        <span aria-hidden>{mark}</span>
        {word !== "" && <VisuallyHidden>{word}: </VisuallyHidden>}
      </i>
      <span>{line.text}</span>
    </li>
  );
});
LogLine.displayName = "LogLine";
