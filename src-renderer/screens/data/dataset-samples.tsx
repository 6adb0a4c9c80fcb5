import type { SamplesView } from "#contract/views.ts";
import { count, someOf } from "#renderer/ui/format.ts";
import { Card } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import style from "./dataset-samples.module.css";

/** Some images of each class, and how many of each there are to train on. */
export const DatasetSamples = ({ samples }: { readonly samples: SamplesView }) => (
  <div className={style.pair}>
    <Card title="Images" note="one row per class">
      <SampleSheet samples={samples} />
    </Card>
    <Card title="Training images per class">
      <ClassCounts samples={samples} />
    </Card>
  </div>
);

/** The height at which an image can be recognised, in pixels. */
const ROW_PX = 56;
/** The most classes that the description of the sheet names. */
const NAMED_CLASSES = 20;

const SampleSheet = ({ samples }: { readonly samples: SamplesView }) => {
  const { classes, columns, width, height, sheet } = samples;
  // whole steps only: each pixel of the image stays a square
  const scale = Math.max(1, Math.round(ROW_PX / height));
  const sheetHeight = classes.length * height * scale;
  return (
    <ScrollBox className={style.sheetBox} label="Images of each class">
      <div className={style.sheet}>
        <ol aria-hidden style={{ height: sheetHeight }}>
          {classes.map((label) => (
            <li key={label} title={label}>
              {label}
            </li>
          ))}
        </ol>
        <img
          src={sheet}
          width={columns * width * scale}
          height={sheetHeight}
          alt={`${columns} images of each class: ${someOf(classes, NAMED_CLASSES)}`}
        />
      </div>
    </ScrollBox>
  );
};

const ClassCounts = ({ samples: { classes, perClass } }: { readonly samples: SamplesView }) => {
  const most = Math.max(1, ...perClass);
  return (
    <ScrollBox className={style.countsBox} label="Training images per class, table">
      <table className={style.counts}>
        <tbody>
          {classes.map((label, i) => {
            const n = perClass[i] ?? 0;
            return (
              <tr key={label}>
                <th scope="row" title={label}>
                  {label}
                </th>
                <td>
                  <span className={style.bar} style={{ width: `${(n / most) * 100}%` }} />
                </td>
                <td data-num>{count(n)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollBox>
  );
};
