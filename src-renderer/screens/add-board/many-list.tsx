import { Button, Textarea } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ListedBoard } from "#contract/boards.ts";
import { targetText } from "#renderer/screens/board/board-target.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Buttons, badClass, formClass, monoClass, noteClass } from "#renderer/ui/form.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Problem, Small, tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import style from "./listed-boards.module.css";
import { problemsOfList, rowsOfList } from "./many-boards.ts";

/** The list is read after the last key, not after each. */
const CALM_MS = 250;
const MOST_BYTES = 1_000_000;

/** The list: pasted, or a CSV file. Each line shows at once whether the lab can read it. */
export const ManyList = ({
  taken,
  onList,
  onCancel,
}: {
  readonly taken: readonly string[];
  readonly onList: (listed: readonly ListedBoard[]) => void;
  readonly onCancel: () => void;
}) => {
  const { client } = useStates();
  const [text, setText] = useState("");
  const [listed, setListed] = useState<readonly ListedBoard[]>([]);
  const [problem, setProblem] = useState<string>();
  const file = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(() => {
      if (text.trim() === "") return setListed([]);
      client.boards.readList({ text }, { signal: asked.signal }).then(
        (found) => {
          if (asked.signal.aborted) return;
          setListed(found);
          setProblem(undefined);
        },
        (error) => asked.signal.aborted || setProblem(messageOf(error)),
      );
    }, CALM_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [client, text]);
  const open = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    if (chosen.size > MOST_BYTES)
      return setProblem(`${chosen.name} is too large for a list of boards (limit 1 MB).`);
    setText(await chosen.text());
  };
  const problems = problemsOfList(listed, taken);
  const rows = rowsOfList(
    listed.filter(({ line }) => !problems.has(line)),
    taken,
  );
  const names = new Map(rows.map(({ line, name }) => [line, name]));
  return (
    <form
      className={formClass}
      onSubmit={(event) => {
        event.preventDefault();
        if (rows.length > 0) onList(listed.filter(({ line }) => !problems.has(line)));
      }}
    >
      <Textarea
        label="Boards"
        description="One per line: user@host or user@host:port. Or a CSV table with the columns name, host, port and user."
        placeholder={"pi@192.168.1.21\npi@192.168.1.22\nlab@jetson-1.local:2222"}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        rows={6}
        spellCheck={false}
        classNames={{ input: monoClass }}
        data-autofocus
      />
      <Buttons>
        <Button size="xs" onClick={() => file.current?.click()}>
          Open CSV file…
        </Button>
        <input
          ref={file}
          type="file"
          hidden
          accept=".csv,.txt,.tsv,text/csv,text/plain"
          aria-label="List of boards"
          onChange={(event) => {
            void open(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
        <span className={noteClass} role="status">
          {listed.length === 0
            ? "The lab contacts no board until you continue."
            : `${plural(rows.length, "board")}${problems.size === 0 ? "" : `, ${plural(problems.size, "line")} with a problem`}`}
        </span>
      </Buttons>
      {problem !== undefined && <Problem text={problem} />}
      {listed.length > 0 && (
        <ScrollBox label="Lines of the list" className={style.listed}>
          <table className={tableClass}>
            <thead>
              <tr>
                <th data-num>Line</th>
                <th>Name</th>
                <th>Address</th>
                <th>Problem</th>
              </tr>
            </thead>
            <tbody>
              {listed.map(({ line, name, target }) => (
                <tr key={line}>
                  <td data-num>{line}</td>
                  <td>{names.get(line) ?? name ?? <Small>–</Small>}</td>
                  <td>{target === undefined ? <Small>–</Small> : targetText(target)}</td>
                  <td className={badClass}>{problems.get(line)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
      <Buttons>
        <Button type="submit" variant="filled" disabled={rows.length === 0}>
          {rows.length === 0 ? "Connect" : `Connect to ${plural(rows.length, "board")}`}
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </Buttons>
    </form>
  );
};
