import { Button, Modal } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { messageOf } from "#renderer/state/message-of.ts";
import style from "./dialog.module.css";
import { Problem } from "./page.tsx";

/**
 * The element that opened the dialog may be gone when it closes: a menu item, or a row that was removed. Then the
 * focus moves to `returnTo` or the button in it, else to the page's title.
 */
const keepFocus = (returnTo: string | undefined) => {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  const place = returnTo === undefined ? null : document.getElementById(returnTo);
  (
    place?.querySelector<HTMLElement>("button") ??
    place ??
    document.querySelector<HTMLElement>("[data-page-title]")
  )?.focus({ preventScroll: true });
};

/** A question or a form in front of the page; its fields start fresh each time it opens. */
export const Dialog = ({
  opened,
  title,
  onClose,
  returnTo,
  size = "md",
  keepOnClickOutside = false,
  children,
}: {
  readonly opened: boolean;
  readonly title: string;
  readonly onClose: () => void;
  /** Id of the element that gets the focus (or a button in it) if what opened the dialog is gone. */
  readonly returnTo?: string;
  readonly size?: string;
  /** A click outside does not close it: typed text would be lost, or a question left unanswered. */
  readonly keepOnClickOutside?: boolean;
  readonly children: ReactNode;
}) => {
  // the parent forgets `returnTo` when it closes the dialog
  const place = useRef(returnTo);
  if (opened) place.current = returnTo;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={size}
      closeOnClickOutside={!keepOnClickOutside}
      // the dialog keeps the focus until it is gone
      onExitTransitionEnd={() => setTimeout(() => keepFocus(place.current))}
      classNames={{
        title: style.title ?? "",
        content: style.content ?? "",
        header: style.header ?? "",
        body: style.body ?? "",
      }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {children}
    </Modal>
  );
};

/** The buttons at the end of a dialog. */
export const DialogActions = ({ children }: { readonly children: ReactNode }) => (
  <div className={style.actions}>{children}</div>
);

/** Asks before something that cannot be undone; stays open and says why if it fails. */
export const Confirm = ({
  opened,
  title,
  text,
  yes,
  onYes,
  onClose,
  returnTo,
  children,
}: {
  readonly opened: boolean;
  readonly title: string;
  readonly returnTo?: string;
  readonly text: ReactNode;
  /** More questions, above the buttons. */
  readonly children?: ReactNode;
  /** The button's label: the action itself, a verb. */
  readonly yes: string;
  readonly onYes: () => Promise<unknown>;
  readonly onClose: () => void;
}) => (
  <Dialog opened={opened} title={title} onClose={onClose} {...(returnTo === undefined ? {} : { returnTo })}>
    <Question text={text} yes={yes} onYes={onYes} onClose={onClose}>
      {children}
    </Question>
  </Dialog>
);

const Question = ({
  text,
  yes,
  onYes,
  onClose,
  children,
}: {
  readonly text: ReactNode;
  readonly yes: string;
  readonly onYes: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ReactNode;
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
      {children}
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
