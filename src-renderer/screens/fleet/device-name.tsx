import { Link } from "wouter";
import style from "./device-name.module.css";

/** A device's name, and a line under it. A name that is too long keeps its number: devices of a group differ in it. */
export const DeviceName = ({ name, under }: { readonly name: string; readonly under: string }) => {
  const [, number = ""] = /(-\d+)$/.exec(name) ?? [];
  return (
    <div className={style.name}>
      <Link href={`/fleet/${encodeURIComponent(name)}`} title={name}>
        <span>{name.slice(0, name.length - number.length)}</span>
        <span>{number}</span>
      </Link>
      <small title={under}>{under}</small>
    </div>
  );
};
