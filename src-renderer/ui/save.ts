/** Hands a file to the person: the browser saves it, the desktop asks where. */
export const saveFile = (filename: string, content: Blob): void => {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = filename;
  document.body.append(link);
  link.click();
  link.remove();
  // The download has to start before its address is revoked.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};

export const bytesOfBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
