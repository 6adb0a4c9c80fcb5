import { expect, test } from "vitest";
import { readJunit } from "./junit.ts";

/** As pytest 7.2 wrote it, shortened: one test of each outcome, and one that passes and then fails to clean up. */
const REPORT = `<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="2" failures="1" skipped="1" tests="6" time="0.024" hostname="vm"><testcase classname="test_sample" name="test_good" time="0.000" /><testcase classname="test_sample" name="test_bad[a&lt;b&gt; &amp; &quot;c&quot;]" time="0.001"><failure message="assert 'a&lt;b&gt;' == '&lt;tag attr=&quot;1&quot;/&gt;'&#10;  - &lt;tag/&gt;">&gt;   def test_bad(x): assert x == "&lt;testcase name='fake'&gt;&lt;skipped/&gt;"

test_sample.py:4: AssertionError</failure></testcase><testcase classname="test_sample" name="test_skipped" time="0.000"><skipped type="pytest.skip" message="no GPU here">test_sample.py:5: no GPU here</skipped></testcase><testcase classname="test_sample" name="test_error" time="0.000"><error message="failed on setup with &quot;RuntimeError: no server&quot;">RuntimeError: no server</error></testcase><testcase classname="test_sample" name="test_torn" time="0.000"><error message="failed on teardown with &quot;RuntimeError: left something&quot;">RuntimeError: left something</error></testcase></testsuite></testsuites>`;

test("a report of pytest is counted, and what did not pass is named with its reason", () => {
  expect(readJunit(REPORT)).toEqual({
    passed: 2,
    failed: 3,
    skipped: 1,
    failedNames: [
      `test_sample: test_bad[a<b> & "c"]: assert 'a<b>' == '<tag attr="1"/>'`,
      'test_sample: test_error: failed on setup with "RuntimeError: no server"',
      'test_sample: test_torn: failed on teardown with "RuntimeError: left something"',
    ],
    skippedNames: ["test_sample: test_skipped: no GPU here"],
  });
});

test("a report with one test, and one without any", () => {
  const one =
    '<testsuites><testsuite tests="1" failures="0" errors="0" skipped="0"><testcase classname="a" name="b"/></testsuite></testsuites>';
  expect(readJunit(one)).toMatchObject({ passed: 1, failed: 0, failedNames: [] });
  const none = '<testsuites><testsuite tests="0" failures="0" errors="0" skipped="0"/></testsuites>';
  expect(readJunit(none)).toMatchObject({ passed: 0, failed: 0, skipped: 0 });
});

test("what is no report is refused", () => {
  for (const text of ["", "<html><body>no</body></html>", "<testsuites/>", "no XML at all"]) {
    expect(() => readJunit(text), text).toThrow();
  }
});
