// Lints an OpenAPI document by Redocly's recommended rules; prints each finding, and exits with 1 if there is one.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({
  extends: ["recommended"],
  rules: {
    // Schemas of answers are open, so an example may have fields of a `then` beside those of its schema.
    "no-invalid-media-type-examples": { severity: "warn", allowAdditionalProperties: true },
    "no-invalid-schema-examples": { severity: "warn", allowAdditionalProperties: true },
  },
});
const problems = await lint({ ref: process.argv[2], config });
for (const { ruleId, message, location } of problems) console.log(`${ruleId}: ${message} (${location[0]?.pointer})`);
process.exitCode = problems.length ? 1 : 0;
