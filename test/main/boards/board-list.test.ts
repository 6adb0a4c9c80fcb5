import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boardName, boardTarget } from "#contract/boards.ts";
import { readBoardList } from "#main/boards/board-list.ts";

const one = (line: string) => readBoardList(line)[0];

describe("a pasted list", () => {
  test("names, users, ports, comments, IPv6", () => {
    const text = `
# the shelf
pi@10.0.0.7:2222
nano  jetson@nano1.lab.example   # the old one
pi4.local
[fe80::1%eth0]:22
ssh://root@[2001:db8::5]/
2001:db8::6
`;
    expect(readBoardList(text)).toEqual([
      { line: 3, name: "10-0-0-7", target: { host: "10.0.0.7", port: 2222, user: "pi" } },
      { line: 4, name: "nano", target: { host: "nano1.lab.example", user: "jetson" } },
      { line: 5, name: "pi4", target: { host: "pi4.local" } },
      { line: 6, name: "fe80-1", target: { host: "fe80::1%eth0", port: 22 } },
      { line: 7, name: "2001-db8-5", target: { host: "2001:db8::5", user: "root" } },
      { line: 8, name: "2001-db8-6", target: { host: "2001:db8::6" } },
    ]);
  });

  test.each([
    ["pi@10.0.0.7:0", "“0” is not a port"],
    ["pi@10.0.0.7:70000", "“70000” is not a port"],
    ["pi@10.0.0.7:ssh", "“ssh” is not a port"],
    ["pi@10.0.0.7:", "is not a port"],
    ["@10.0.0.7", "The user before the @ is missing"],
    ["pi@", "The host is missing"],
    [":22", "The host is missing"],
    ["-oProxyCommand=x", "is not a host name"],
    ["pi@-oProxyCommand", "is not a host name"],
    ["a$(b)@host", "is not a user name"],
    ["[fe80::1", "The brackets do not match"],
    ["[nonsense]:22", "“nonsense” is not an IPv6 address"],
    ["fe80::1:2:3:4:5:6:7:8:22", "Put an IPv6 address in brackets"],
    ["a b c", "too many words"],
    ["pi4,10.0.0.7,22", "needs a first line that names them"],
    ["my_board pi@10.0.0.7", "“my_board” is not a valid name. Use up to 41 letters, digits or dashes"],
    [`pi@${"h".repeat(300)}`, "The host is too long"],
  ])("%j: %s", (line, problem) => {
    expect(one(line)?.problem).toContain(problem);
  });

  test("a duplicate says where the first one is; nothing is lost", () => {
    const text = "a pi@10.0.0.7\nb pi@10.0.0.7:22\na pi@10.0.0.8\nA pi@10.0.0.9\nroot@10.0.0.7";
    const list = readBoardList(text);
    expect(list.map(({ problem }) => problem)).toEqual([
      undefined,
      "Line 1 already lists this board.",
      "Line 1 already uses this name.",
      "Line 1 already uses this name.",
      undefined,
    ]);
    expect(list.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a name made from a host never takes another board's name", () => {
    const names = readBoardList("pi.one.lab\npi.two.lab\npi-2 third\npi fourth\n..\nПлата.local").map(
      (board) => board.name,
    );
    expect(names.slice(0, 4)).toEqual(["pi-3", "pi-4", "pi-2", "pi"]);
    expect(names[5]).toBe("board");
  });
});

describe("a CSV file", () => {
  test("columns in any order, quotes, empty cells, a byte order mark", () => {
    const text =
      '\uFEFFport,User,host,comment,Name\r\n22,pi,10.0.0.7,"first, left",shelf-1\r\n,,"pi4.local",,\r\n2222,"ada",[2001:db8::5],"say ""hi""",\r\n';
    expect(readBoardList(text)).toEqual([
      { line: 2, name: "shelf-1", target: { host: "10.0.0.7", port: 22, user: "pi" } },
      { line: 3, name: "pi4", target: { host: "pi4.local" } },
      { line: 4, name: "2001-db8-5", target: { host: "2001:db8::5", port: 2222, user: "ada" } },
    ]);
  });

  test("semicolons and tabs", () => {
    for (const separator of [";", "\t"]) {
      const rows = [
        ["name", "host"],
        ["a", "10.0.0.7"],
      ]
        .map((row) => row.join(separator))
        .join("\n");
      expect(readBoardList(rows)).toEqual([{ line: 2, name: "a", target: { host: "10.0.0.7" } }]);
    }
  });

  test.each([
    ["name,host\na,", "The host is missing."],
    ['name,host\n"a,10.0.0.7', "A quote is not closed."],
    ['name,host\n"a"b,10.0.0.7', "There is text after a closing quote."],
    ["name,host\na,10.0.0.7,22", "This line has 3 columns, but the first line names 2."],
    ["name,host,port\na,10.0.0.7,x", "“x” is not a port"],
    ["name,host\na b,10.0.0.7", "“a b” is not a valid name"],
  ])("%j: %s", (text, problem) => {
    expect(one(text)?.problem).toContain(problem);
  });

  test("an empty first cell is a cell, whatever separates it", () => {
    for (const separator of [",", ";", "\t"]) {
      const text = `name${separator}host${separator}user\n${separator}10.0.0.7${separator}\n`;
      expect(readBoardList(text)).toEqual([{ line: 2, name: "10-0-0-7", target: { host: "10.0.0.7" } }]);
    }
  });

  test("a quote that is not closed spoils its own line only", () => {
    const list = readBoardList('name,host\n"a,10.0.0.7\nb,10.0.0.8\n"c",10.0.0.9');
    expect(list.map(({ line, name, problem }) => [line, name, problem])).toEqual([
      [2, undefined, "A quote is not closed."],
      [3, "b", undefined],
      [4, "c", undefined],
    ]);
  });

  test("a board that is called like a column is a board", () => {
    expect(readBoardList("name\npi@10.0.0.7").map(({ target }) => target?.host)).toEqual([
      "name",
      "10.0.0.7",
    ]);
    expect(readBoardList("host\n10.0.0.7")).toEqual([
      { line: 2, name: "10-0-0-7", target: { host: "10.0.0.7" } },
    ]);
  });
});

test("any text at all: every line has a board with a name of its own, or a problem", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom(
      "\n",
      "\r\n",
      ",",
      ";",
      "\t",
      '"',
      "@",
      ":",
      "[",
      "]",
      " ",
      "#",
      "host",
      "name",
      "port",
      "10.0.0.7",
      "pi",
      "::1",
      "22",
      "name,host\n",
      "__proto__",
      "constructor",
    ),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      (text) => {
        const list = readBoardList(text);
        const good = list.filter(({ problem }) => problem === undefined);
        for (const { name, target } of good) {
          expect(boardName.safeParse(name).success).toBe(true);
          expect(boardTarget.safeParse(target).success).toBe(true);
          expect(target?.host.startsWith("-")).toBe(false);
        }
        expect(new Set(good.map(({ name }) => name?.toLowerCase())).size).toBe(good.length);
        for (const { problem } of list) expect(problem).not.toBe("");
      },
    ),
    { numRuns: 5000 },
  );
});

test("three thousand boards of one name take no time", () => {
  const began = performance.now();
  const list = readBoardList(Array.from({ length: 3000 }, (_, i) => `pi.rack${i}.lab`).join("\n"));
  expect(new Set(list.map(({ name }) => name)).size).toBe(3000);
  expect(performance.now() - began).toBeLessThan(2000);
});
