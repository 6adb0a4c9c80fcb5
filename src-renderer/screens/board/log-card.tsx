import { Button, Checkbox, TextInput } from "@mantine/core";
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { BoardLogLine } from "#contract/boards.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useBoards, useStates } from "#renderer/state/use-states.ts";
import { clock, plural } from "#renderer/ui/format.ts";
import { Card, Problem } from "#renderer/ui/page.tsx";
import style from "./board.module.css";
import { asText, isTrouble, joined, STREAM_MARKS } from "./board-log.ts";
import { CopyButton } from "./board-problem.tsx";

const NONE: readonly BoardLogLine[] = [];
const PAGE = 500;
const CALM_MS = 250;

/** What the board's clients printed: searched on the lab's side, and followed as it comes. */
export const LogCard = ({ name }: { readonly name: string }) => {
  const { client } = useStates();
  const tail = useBoards((state) => state.tails[name] ?? NONE);
  const [search, setSearch] = useState("");
  const [asked, setAsked] = useState<{ lines: readonly BoardLogLine[]; more: boolean; search: string }>();
  const [follow, setFollow] = useState(true);
  const [older, setOlder] = useState(false);
  const [problem, setProblem] = useState<string>();
  const box = useRef<HTMLElement>(null);
  const following = useRef(true);
  following.current = follow;

  useEffect(() => {
    let left = false;
    const wanted = search.trim();
    const timer = setTimeout(
      () => {
        client.boards.logs({ name, limit: PAGE, ...(wanted === "" ? {} : { search: wanted }) }).then(
          (found) => {
            if (left) return;
            setAsked({ ...found, search: wanted });
            setProblem(undefined);
          },
          (error) => left || setProblem(messageOf(error)),
        );
      },
      wanted === "" ? 0 : CALM_MS,
    );
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [client, name, search]);

  const lines = useMemo(
    () => (asked === undefined ? NONE : joined(asked.lines, tail, asked.search)),
    [asked, tail],
  );
  const last = lines.at(-1)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is the reason
  useEffect(() => {
    if (following.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [last, follow]);

  const loadOlder = async () => {
    const first = asked?.lines[0];
    const place = box.current;
    if (first === undefined || asked === undefined) return;
    setOlder(true);
    setFollow(false);
    try {
      const found = await client.boards.logs({
        name,
        before: first.id,
        limit: PAGE,
        ...(asked.search === "" ? {} : { search: asked.search }),
      });
      const height = place?.scrollHeight ?? 0;
      setAsked({ ...asked, lines: [...found.lines, ...asked.lines], more: found.more });
      requestAnimationFrame(() => {
        if (place !== null) place.scrollTop += place.scrollHeight - height;
      });
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setOlder(false);
    }
  };
  const onScroll = useCallback(() => {
    const place = box.current;
    if (place === null) return;
    const atEnd = place.scrollHeight - place.clientHeight - place.scrollTop < 32;
    if (atEnd !== following.current) setFollow(atEnd);
  }, []);

  return (
    <Card
      title="Log"
      note={
        lines.length === 0
          ? "of its clients"
          : `${plural(lines.length, "line")}${asked?.more ? ", more are on record" : ""}`
      }
      aside={
        <div className={style.logTools}>
          <TextInput
            type="text"
            size="xs"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            placeholder="Search in the log"
            aria-label="Search in the log"
            maxLength={200}
          />
          <Checkbox
            size="xs"
            checked={follow}
            onChange={(event) => setFollow(event.currentTarget.checked)}
            label="Follow"
          />
          <CopyButton text={asText(lines)} what="the lines shown" />
        </div>
      }
    >
      {problem !== undefined && <Problem text={`The log could not be read. ${problem}`} />}
      <section
        ref={box}
        className={style.log}
        {...(lines.length === 0 ? { "data-empty": true } : {})}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what is longer than its place is scrolled with the keyboard, too
        tabIndex={0}
        aria-label="Lines of the log"
        onScroll={onScroll}
      >
        {asked?.more === true && (
          <Button size="compact-xs" variant="subtle" onClick={loadOlder} loading={older} m={6}>
            Older lines
          </Button>
        )}
        <Lines lines={lines} />
        {asked !== undefined && lines.length === 0 && (
          <p className={style.logEmpty}>
            {asked.search === ""
              ? "Nothing was printed yet. When a study trains on this board, its client's output appears here."
              : `No line has "${asked.search}" in it.`}
          </p>
        )}
      </section>
    </Card>
  );
};

const Lines = memo(({ lines }: { readonly lines: readonly BoardLogLine[] }) => (
  <ol>
    {lines.map((line) => (
      <LineOf key={line.id} line={line} />
    ))}
  </ol>
));
Lines.displayName = "Lines";

const LineOf = memo(({ line }: { readonly line: BoardLogLine }) => {
  const { mark, word } = STREAM_MARKS[line.stream];
  return (
    <li data-stream={line.stream} {...(isTrouble(line) ? { "data-trouble": true } : {})}>
      <time dateTime={line.at}>{clock(line.at)}</time>
      <i title={word}>
        <span aria-hidden>{mark}</span>
        {word !== "" && <span className={style.hidden}>{word}: </span>}
      </i>
      <span>{line.text}</span>
    </li>
  );
});
LineOf.displayName = "LineOf";
