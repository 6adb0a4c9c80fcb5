import { CloseButton } from "@mantine/core";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import style from "./toasts.module.css";

export interface Toast {
  readonly tone: "ok" | "bad" | "quiet";
  readonly text: ReactNode;
}

const ToastContext = createContext<(toast: Toast) => void>(() => {});

/** Tells what the page itself does not show: that something was copied or saved, or failed. */
export const useToast = () => useContext(ToastContext);

/** Good news disappears by itself; bad news stays until it is closed. */
const SHOWN_MS = 5000;

export const Toasts = ({ children }: { readonly children: ReactNode }) => {
  const [toasts, setToasts] = useState<readonly (Toast & { id: number })[]>([]);
  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      const id = performance.now();
      setToasts((all) => [...all.slice(-3), { ...toast, id }]);
      if (toast.tone !== "bad") setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  const list = useMemo(
    () =>
      toasts.map((toast) => (
        <div
          key={toast.id}
          className={style.toast}
          data-tone={toast.tone}
          role={toast.tone === "bad" ? "alert" : "status"}
        >
          <span>{toast.text}</span>
          <CloseButton size="sm" aria-label="Close this message" onClick={() => close(toast.id)} />
        </div>
      )),
    [toasts, close],
  );
  return (
    <ToastContext value={show}>
      {children}
      <div className={style.toasts}>{list}</div>
    </ToastContext>
  );
};
