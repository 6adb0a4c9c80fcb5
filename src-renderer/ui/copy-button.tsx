import { Button } from "@mantine/core";
import { useToast } from "./toasts.tsx";

/** Copies a text, and says so. */
export const CopyButton = ({
  text,
  what,
}: {
  readonly text: string;
  /** Names the text: "the fingerprint". */
  readonly what: string;
}) => {
  const toast = useToast();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast({ tone: "ok", text: `Copied ${what}.` });
    } catch {
      toast({
        tone: "bad",
        text: "The browser did not allow copying. Select the text and copy it with the keyboard.",
      });
    }
  };
  return (
    <Button size="xs" onClick={copy} aria-label={`Copy ${what}`}>
      Copy
    </Button>
  );
};
