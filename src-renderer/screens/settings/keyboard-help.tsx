import { Card } from "#renderer/ui/page.tsx";
import style from "./keyboard-help.module.css";

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [["Tab"], "next button, link or field; with Shift, the previous one"],
  [["Enter"], "press the button or follow the link"],
  [["Esc"], "close the dialog or menu and return to where you were"],
  [["↑", "↓"], "move through menus and lists; ← and → move along the rounds of a chart"],
];

export const KeyboardHelp = () => (
  <Card title="Keyboard">
    <dl className={style.keys}>
      {KEYS.map(([keys, text]) => (
        <div key={text}>
          <dt>
            {keys.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  </Card>
);
