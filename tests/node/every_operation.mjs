// Drive every operation with Twilio's own Node SDK; dates must be dates, and texts what was sent.
import assert from "node:assert/strict";
import twilio from "twilio";

const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_VERIFY_BASE_URL } = process.env;
const PHONE = "+237650000000";
const client = twilio(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN);
client.verify.baseUrl = TWILIO_VERIFY_BASE_URL;
const verify = client.verify.v2;
const done = [];

function seen(name, record) {
  for (const key of ["dateCreated", "dateUpdated"]) {
    if (record && key in record) assert.ok(record[key] instanceof Date, `${name}: ${key} is ${record[key]}`);
  }
  done.push(name);
  return record;
}

async function five(name, list, made, changed) {
  const record = seen(`Create${name}`, await list.create(made));
  seen(`List${name}`, (await list.list({ limit: 5 }))[0]);
  const key = record.sid ?? record.country;
  seen(`Fetch${name}`, await list(key).fetch());
  seen(`Update${name}`, await list(key).update(changed));
  return { record, remove: async () => seen(`Delete${name}`, assert.equal(await list(key).remove(), true)) };
}

const made = await five("Service", verify.services, { friendlyName: "Acme" }, { friendlyName: "Acme Bank" });
const service = verify.services(made.record.sid);
const limit = await five("RateLimit", service.rateLimits, { uniqueName: "ip" }, { description: "by address" });
const buckets = service.rateLimits(limit.record.sid).buckets;
const bucket = await five("Bucket", buckets, { max: 5, interval: 60 }, { max: 6 });
const countries = await five(
  "MessagingConfiguration",
  service.messagingConfigurations,
  { country: "CM", messagingServiceSid: "MG" + "0".repeat(32) },
  { messagingServiceSid: "MG" + "1".repeat(32) },
);
const webhook = await five(
  "Webhook",
  service.webhooks,
  { friendlyName: "ours", eventTypes: ["*"], webhookUrl: "https://example.com/hook" },
  { status: "disabled" },
);
seen("CreateSafelist", await verify.safelist.create({ phoneNumber: PHONE }));
assert.equal(seen("FetchSafelist", await verify.safelist(PHONE).fetch()).phoneNumber, PHONE);
seen("ListVerificationTemplate", (await verify.templates.list({ limit: 5 }))[0]);

const started = seen("CreateVerification", await service.verifications.create({ to: PHONE, channel: "sms" }));
assert.equal(started.status, "pending");
seen("FetchVerification", await service.verifications(started.sid).fetch());
const wrong = await service.verificationChecks.create({ to: PHONE, code: "00000000" });
assert.equal(seen("CreateVerificationCheck", wrong).valid, false);
seen("UpdateVerification", await service.verifications(started.sid).update({ status: "canceled" }));

const attempt = seen("ListVerificationAttempt", (await verify.verificationAttempts.list({ limit: 5 }))[0]);
seen("FetchVerificationAttempt", await verify.verificationAttempts(attempt.sid).fetch());
seen("FetchVerificationAttemptsSummary", await verify.verificationAttemptsSummary().fetch());

await assert.rejects(service.verifications.create({ to: "nobody", channel: "sms" }), { status: 400, code: 60200 });

seen("DeleteSafelist", assert.equal(await verify.safelist(PHONE).remove(), true) ?? null);
for (const { remove } of [webhook, countries, bucket, limit, made]) await remove();
console.log(JSON.stringify(done));
