import { useData, useFleet, useLab } from "#renderer/state/use-states.ts";

/** What else changes the lab's answer: what runs, what data is here, which boards are ready. */
export const useOccasion = (): string => {
  const activity = useLab((state) => state.activity);
  const entries = useData((state) => state.view?.entries);
  const boards = useFleet((state) => state.view?.devices);
  return [
    activity.study,
    ...(boards ?? []).flatMap(({ name, board }) =>
      board === undefined ? [] : [`${name} ${board.setup} ${board.state}`],
    ),
    ...activity.queue,
    ...(entries ?? []).map(({ name, state }) => `${name} ${state}`),
  ].join(" ");
};
