import style from "./progress-bar.module.css";

export const ProgressBar = ({
  label,
  fraction,
}: {
  readonly label: string;
  /** 0 to 1; undefined while it is unknown. */
  readonly fraction: number | undefined;
}) => (
  <progress
    className={style.bar}
    aria-label={label}
    {...(fraction === undefined ? {} : { max: 1, value: fraction })}
  />
);
