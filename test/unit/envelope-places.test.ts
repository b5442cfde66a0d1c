import { expect, test } from "vitest";
import { envelopeHead } from "../../src/schemas/envelope-schema.ts";

/** The audit trail does not search what is always before these. */
test("an envelope without any names has its recording time behind 100 characters, and its cursor behind 200", () => {
  const head = envelopeHead({
    id: "",
    source: "",
    type: "",
    subject: "",
    time: "",
    dataschema: "",
    recordedtime: "",
    severity: "INFO",
  });
  expect(head.indexOf('"recordedtime"')).toBeGreaterThan(100);
  expect(`${head}"sequence":"0000000000000001","cursor"`.indexOf('"cursor"')).toBeGreaterThan(200);
});
