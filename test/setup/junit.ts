import { XMLParser } from "fast-xml-parser";

/** What a JUnit report says, as this project counts. */
export interface JunitResult {
  readonly passed: number;
  /** Failures and errors. */
  readonly failed: number;
  readonly skipped: number;
  /** "class: test: first line of what went wrong" */
  readonly failedNames: readonly string[];
  /** "class: test: reason" */
  readonly skippedNames: readonly string[];
}

interface Outcome {
  readonly message?: string;
}

interface TestCase {
  readonly classname: string;
  readonly name: string;
  readonly failure?: readonly Outcome[];
  readonly error?: readonly Outcome[];
  readonly skipped?: readonly Outcome[];
}

interface TestSuite {
  readonly tests: string;
  readonly failures: string;
  readonly errors: string;
  readonly skipped: string;
  readonly testcase?: readonly TestCase[];
}

const MANY: readonly string[] = [
  "testsuites.testsuite",
  "testsuites.testsuite.testcase",
  "testsuites.testsuite.testcase.failure",
  "testsuites.testsuite.testcase.error",
  "testsuites.testsuite.testcase.skipped",
];

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  htmlEntities: true,
  isArray: (_, path) => MANY.includes(String(path)),
});

const describe = ({ classname, name }: TestCase, { message = "" }: Outcome): string =>
  `${classname}: ${name}: ${message.split("\n", 1)[0]}`;

/**
 * Reads a report as pytest writes it.
 *
 * @throws Error if it is not a JUnit report
 */
export const readJunit = (xml: string): JunitResult => {
  const suites = (parser.parse(xml) as { testsuites?: { testsuite?: readonly TestSuite[] } }).testsuites
    ?.testsuite;
  if (suites === undefined)
    throw new Error("this is not a JUnit report: it has no testsuites with a testsuite");
  const sum = (count: (suite: TestSuite) => string): number =>
    suites.reduce((total, suite) => total + Number(count(suite)), 0);
  const failed = sum((suite) => suite.failures) + sum((suite) => suite.errors);
  const skipped = sum((suite) => suite.skipped);
  const cases = suites.flatMap((suite) => suite.testcase ?? []);
  return {
    passed: sum((suite) => suite.tests) - failed - skipped,
    failed,
    skipped,
    failedNames: cases.flatMap((test) =>
      [...(test.failure ?? []), ...(test.error ?? [])].map((outcome) => describe(test, outcome)),
    ),
    skippedNames: cases.flatMap((test) => (test.skipped ?? []).map((outcome) => describe(test, outcome))),
  };
};
