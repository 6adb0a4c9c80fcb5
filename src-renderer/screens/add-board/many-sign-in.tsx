import { Button } from "@mantine/core";
import { SignInFields } from "#renderer/screens/board/sign-in-fields.tsx";
import { Buttons, formClass } from "#renderer/ui/form.tsx";
import { plural } from "#renderer/ui/format.ts";
import type { ManyBoards } from "./use-many-boards.ts";

/** One sign-in for all boards that were reached; after failures, another one for those. */
export const ManySignIn = ({
  many: { rows, signIn, setSignIn, ways, asked, addReached },
  isRetry,
  onClose,
}: {
  readonly many: ManyBoards;
  readonly isRetry: boolean;
  readonly onClose: () => void;
}) => {
  if (ways === undefined) return null;
  const reached = rows.filter(({ state }) => state === "reached").length;
  const hasAdded = rows.some(({ state }) => state === "added");
  return (
    <form
      className={formClass}
      onSubmit={(event) => {
        event.preventDefault();
        void addReached();
      }}
      noValidate
    >
      <h3>
        {isRetry ? "Retry the failed boards, with another sign-in if needed" : "One sign-in for all boards"}
      </h3>
      <SignInFields form={signIn} onChange={setSignIn} ways={ways} asked={asked} user={undefined} />
      <Buttons>
        <Button type="submit" variant="filled">
          {isRetry ? "Try again" : `Add ${plural(reached, "board")}`}
        </Button>
        <Button onClick={onClose}>{hasAdded ? "Done" : "Cancel"}</Button>
      </Buttons>
    </form>
  );
};
