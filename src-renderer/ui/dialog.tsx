import { Button, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { messageOf } from "#renderer/state/states.ts";
import style from "./dialog.module.css";
import { Problem } from "./page.tsx";

/** A question or a form before the page; what it holds begins anew each time that it opens. */
export const Dialog = ({
  opened,
  title,
  onClose,
  size = "md",
  children,
}: {
  readonly opened: boolean;
  readonly title: string;
  readonly onClose: () => void;
  readonly size?: string;
  readonly children: ReactNode;
}) => (
  <Modal
    opened={opened}
    onClose={onClose}
    title={title}
    size={size}
    classNames={{ title: style.title ?? "", content: style.content ?? "" }}
    closeButtonProps={{ "aria-label": "Close" }}
  >
    {children}
  </Modal>
);

/** The row of buttons at a dialog's end. */
export const DialogActions = ({ children }: { readonly children: ReactNode }) => (
  <div className={style.actions}>{children}</div>
);

/** Asks before something that cannot be taken back; stays open, and says why, when it does not work. */
export const Confirm = ({
  opened,
  title,
  text,
  yes,
  onYes,
  onClose,
}: {
  readonly opened: boolean;
  readonly title: string;
  readonly text: ReactNode;
  /** What the button says: the deed itself. */
  readonly yes: string;
  readonly onYes: () => Promise<unknown>;
  readonly onClose: () => void;
}) => (
  <Dialog opened={opened} title={title} onClose={onClose}>
    <Question text={text} yes={yes} onYes={onYes} onClose={onClose} />
  </Dialog>
);

const Question = ({
  text,
  yes,
  onYes,
  onClose,
}: {
  readonly text: ReactNode;
  readonly yes: string;
  readonly onYes: () => Promise<unknown>;
  readonly onClose: () => void;
}) => {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const act = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await onYes();
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <>
      <p className={style.text}>{text}</p>
      {problem !== undefined && <Problem text={problem} />}
      <DialogActions>
        <Button onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button variant="filled" color="red" onClick={act} loading={busy}>
          {yes}
        </Button>
      </DialogActions>
    </>
  );
};
