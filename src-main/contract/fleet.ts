/**
 * What kind of device it is, known from how it joined: with a ticket (a virtual device of this computer), over a
 * channel of its own (a board), or by itself (an external Flower client).
 */
export type CrewKind = "virtual" | "board" | "external";
