/** An SVG document as pixels, twice as many as its measures say. */
export const toPng = async (
  svg: string,
  { width, height }: { width: number; height: number },
): Promise<Blob> => {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width * 2;
    canvas.height = height * 2;
    const pen = canvas.getContext("2d");
    if (pen === null) throw new Error("This browser cannot draw images. Save the chart as SVG instead.");
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob(
        (blob) =>
          blob === null
            ? reject(new Error("This browser could not make a PNG of the chart. Save it as SVG instead."))
            : resolve(blob),
        "image/png",
      );
    });
  } finally {
    URL.revokeObjectURL(address);
  }
};
