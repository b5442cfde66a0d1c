import { expect, test } from "vitest";
import { envelopeHead, LEAST_BEFORE } from "../../src/schemas/envelope-schema.ts";

test("an envelope without any names has as much before its recording time and its cursor as searches pass over", () => {
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
  expect(head.indexOf('"recordedtime"')).toBeGreaterThanOrEqual(LEAST_BEFORE.recordedTime);
  expect(`${head}"sequence":"0000000000000001","cursor"`.indexOf('"cursor"')).toBeGreaterThanOrEqual(
    LEAST_BEFORE.cursor,
  );
});
