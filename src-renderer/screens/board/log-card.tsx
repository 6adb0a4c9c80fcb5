import { Button, Checkbox, TextInput } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { CopyButton } from "#renderer/ui/copy-button.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Card, Problem } from "#renderer/ui/page.tsx";
import { logText } from "./board-log.ts";
import style from "./log-card.module.css";
import { LogLines } from "./log-lines.tsx";
import { useBoardLog } from "./use-board-log.ts";

/** Closer to the end than this, in pixels, the person is at the end. */
const END_PX = 32;

/** What the board's clients printed: searched by the lab, and followed as it comes. */
export const LogCard = ({ name }: { readonly name: string }) => {
  const [search, setSearch] = useState("");
  const { loaded, lines, problem, loadOlder, isLoadingOlder } = useBoardLog(name, search);
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLElement>(null);
  const following = useRef(true);
  following.current = follow;
  const last = lines.at(-1)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is the reason
  useEffect(() => {
    if (following.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [last, follow]);

  /** The lines that are in view stay where they are. */
  const showOlder = async () => {
    setFollow(false);
    const height = box.current?.scrollHeight ?? 0;
    if (!(await loadOlder())) return;
    requestAnimationFrame(() => {
      if (box.current !== null) box.current.scrollTop += box.current.scrollHeight - height;
    });
  };
  const onScroll = useCallback(() => {
    if (box.current === null) return;
    const { scrollHeight, clientHeight, scrollTop } = box.current;
    const atEnd = scrollHeight - clientHeight - scrollTop < END_PX;
    if (atEnd !== following.current) setFollow(atEnd);
  }, []);

  return (
    <Card
      title="Log"
      note={
        lines.length === 0
          ? "output of its clients"
          : `${loaded?.more ? "latest " : ""}${plural(lines.length, "line")}`
      }
      aside={
        <div className={style.tools}>
          <TextInput
            type="text"
            size="xs"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            placeholder="Search the log"
            aria-label="Search the log"
            maxLength={200}
          />
          <Checkbox
            size="xs"
            checked={follow}
            onChange={(event) => setFollow(event.currentTarget.checked)}
            label="Follow"
          />
          <CopyButton text={logText(lines)} what="the lines shown" />
        </div>
      }
    >
      {problem !== undefined && <Problem text={`Could not read the log. ${problem}`} />}
      <section
        ref={box}
        className={style.log}
        {...(lines.length === 0 ? { "data-empty": true } : {})}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not scroll
        tabIndex={0}
        aria-label="Log lines"
        onScroll={onScroll}
      >
        {loaded?.more === true && (
          <Button size="compact-xs" variant="subtle" onClick={showOlder} loading={isLoadingOlder} m={6}>
            Load older lines
          </Button>
        )}
        <LogLines lines={lines} />
        {loaded !== undefined && lines.length === 0 && (
          <p className={style.empty}>
            {loaded.search === ""
              ? "No output yet. When a study trains on this board, the output of its client appears here."
              : `No line contains "${loaded.search}".`}
          </p>
        )}
      </section>
    </Card>
  );
};
