import { Button, Radio, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { BoardView } from "#contract/boards.ts";
import { DialogActions } from "#renderer/ui/dialog.tsx";
import { formClass } from "#renderer/ui/form.tsx";
import { Small } from "#renderer/ui/page.tsx";
import { BoardProblemBox } from "./board-problem-box.tsx";
import style from "./change-data-source.module.css";
import { useChangeBoard } from "./use-change-board.ts";

/** Whether the lab sends the board its data, or the board has the data set already. */
export const ChangeDataSource = ({
  view,
  onClose,
}: {
  readonly view: BoardView;
  readonly onClose: () => void;
}) => {
  const [own, setOwn] = useState(view.dataFolder !== undefined);
  const [folder, setFolder] = useState(view.dataFolder ?? "");
  const [asked, setAsked] = useState(false);
  const { change, busy, problem } = useChangeBoard(view.name, onClose);
  const isMissing = own && folder.trim() === "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isMissing) return setAsked(true);
    void change({ dataFolder: own ? folder.trim() : null });
  };
  return (
    <form className={formClass} onSubmit={submit} noValidate>
      <Radio.Group
        value={own ? "own" : "sent"}
        onChange={(value) => setOwn(value === "own")}
        label="Source of the training data"
      >
        <div className={style.radios}>
          <Radio
            value="sent"
            label="The lab sends the board its share of each study's data"
            description="Sends only what is missing, with checksums. A study can ask the lab to delete it afterwards."
          />
          <Radio
            value="own"
            label="A folder on the board"
            description="The folder holds the data set in one of its published formats. The lab sends only which images belong to this board."
          />
        </div>
      </Radio.Group>
      {own && (
        <TextInput
          label="Folder on the board"
          value={folder}
          onChange={(event) => setFolder(event.currentTarget.value)}
          error={asked && isMissing ? "Enter the folder's path on the board." : undefined}
          placeholder="/data/fashion-mnist"
          spellCheck={false}
          autoComplete="off"
        />
      )}
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <Small>Takes effect with the next study.</Small>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="filled" loading={busy}>
          Save
        </Button>
      </DialogActions>
    </form>
  );
};
