/** Writes pickles as Python 2's cPickle wrote them, protocol 2: the form in which CIFAR's batches are published. */

const short = (text: string) =>
  Buffer.concat([Buffer.from("U"), Buffer.from([text.length]), Buffer.from(text, "latin1")]);
const u4 = (n: number) => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(n);
  return out;
};
const u2 = (n: number) => Buffer.from([n & 255, n >> 8]);
const put = (n: number) => Buffer.from([0x71, n]);
const text = (s: string) => Buffer.from(s, "latin1");

/** @param data uint8, (labels.length, 3072) */
export const python2Batch = (labels: readonly number[], data: Buffer, labelsKey = "labels"): Buffer =>
  Buffer.concat([
    text("\x80\x02}"),
    put(1),
    text("("),
    short("batch_label"),
    put(2),
    short("training batch 1 of 5"),
    put(3),
    short(labelsKey),
    put(4),
    text("]"),
    put(5),
    text("("),
    Buffer.from(labels.flatMap((label) => [0x4b, label])),
    text("e"),
    short("data"),
    put(6),
    text("cnumpy.core.multiarray\n_reconstruct\n"),
    put(7),
    text("cnumpy\nndarray\n"),
    put(8),
    text("K\0\x85"),
    put(9),
    short("b"),
    put(10),
    text("\x87"),
    put(11),
    text("R"),
    put(12),
    text("(K\x01M"),
    u2(labels.length),
    text("M"),
    u2(3072),
    text("\x86"),
    put(13),
    text("cnumpy\ndtype\n"),
    put(14),
    short("u1"),
    put(15),
    text("K\0K\x01\x87"),
    put(16),
    text("R"),
    put(17),
    text("(K\x03"),
    short("|"),
    put(18),
    text("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t"),
    put(19),
    text("b\x89T"),
    u4(data.length),
    data,
    put(20),
    text("t"),
    put(21),
    text("b"),
    short("filenames"),
    put(22),
    text("]"),
    put(23),
    text("("),
    ...labels.map((_, i) => short(`leptodactylus_s_${i}.png`)),
    text("eu."),
  ]);
