import type { DatasetLocation } from "#contract/dataset.ts";

/** A file that can be downloaded. */
export interface Parcel {
  readonly file: string;
  /** Bytes, to show the size of a download; only the checksum decides. */
  readonly bytes: number;
  readonly md5: string;
}

/** A data set that the lab knows from the start. */
export interface KnownDataset {
  readonly name: string;
  readonly title: string;
  /** Licence or terms of use, in one sentence. */
  readonly terms: string;
  /** Formats that a registered copy may have. */
  readonly formats: readonly string[];
  /** Where a copy may already be: a system package's folder. */
  readonly places: readonly Omit<DatasetLocation, "name">[];
  /** Folder under resources/data of a copy that is shipped with the lab. */
  readonly bundled?: { readonly format: string; readonly folder: string };
  /** How to download it. `bases` are folders on the web, each with the same files. */
  readonly download?: { readonly bases: readonly string[]; readonly parcels: readonly Parcel[] };
}

const CIFAR_TERMS =
  "no formal licence; research use with citation of Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009";

/** In the order of the list that a person sees. */
export const KNOWN: readonly KnownDataset[] = [
  {
    name: "fashion-mnist-sample",
    title: "Fashion-MNIST sample (6,000 + 1,000 greyscale images, 10 classes)",
    terms: "MIT, Zalando SE",
    formats: ["fashion-mnist-sample-idx"],
    places: [],
    bundled: { format: "fashion-mnist-sample-idx", folder: "fashion-mnist-sample" },
  },
  {
    name: "fashion-mnist",
    title: "Fashion-MNIST (60,000 + 10,000 greyscale images, 10 classes)",
    terms: "MIT, Zalando SE",
    formats: ["fashion-mnist-idx"],
    // Debian's package dataset-fashion-mnist
    places: [{ format: "fashion-mnist-idx", path: "/usr/share/datasets/fashion-mnist" }],
    download: {
      bases: [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
      ],
      parcels: [
        { file: "train-images-idx3-ubyte.gz", bytes: 26_421_880, md5: "8d4fb7e6c68d591d4c3dfef9ec88bf0d" },
        { file: "train-labels-idx1-ubyte.gz", bytes: 29_515, md5: "25c81989df183df01b3e8a0aad5dffbe" },
        { file: "t10k-images-idx3-ubyte.gz", bytes: 4_422_102, md5: "bef4ecab320f06d8554ea6380940ec79" },
        { file: "t10k-labels-idx1-ubyte.gz", bytes: 5_148, md5: "bb300cfdad3c16e7a12a480ee83cd310" },
      ],
    },
  },
  {
    name: "cifar10",
    title: "CIFAR-10 (50,000 + 10,000 colour images, 10 classes)",
    terms: CIFAR_TERMS,
    formats: ["cifar10-binary", "cifar10-python"],
    places: [],
    download: {
      bases: [
        "https://www.cs.toronto.edu/~kriz/",
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
      ],
      parcels: [
        { file: "cifar-10-binary.tar.gz", bytes: 170_052_171, md5: "c32a1d4ab5d03f1284b67883e8d87530" },
      ],
    },
  },
  {
    name: "cifar100",
    title: "CIFAR-100 (50,000 + 10,000 colour images, 100 classes)",
    terms: CIFAR_TERMS,
    formats: ["cifar100-binary", "cifar100-python"],
    places: [],
    download: {
      bases: ["https://www.cs.toronto.edu/~kriz/"],
      parcels: [
        { file: "cifar-100-binary.tar.gz", bytes: 168_513_733, md5: "03b5dce01913d631647c71ecec9e9cb8" },
      ],
    },
  },
];
