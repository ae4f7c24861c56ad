// Twilio's Node SDK, pointed at a watchword server by one line.
import { createInterface } from "node:readline/promises";
import twilio from "twilio";

const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_SERVICE_SID, TWILIO_VERIFY_BASE_URL } = process.env;
const client = twilio(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN);
client.verify.baseUrl = TWILIO_VERIFY_BASE_URL; // such as http://127.0.0.1:8000
const verify = client.verify.v2.services(TWILIO_SERVICE_SID);

const phone = "+237650000000";
console.log((await verify.verifications.create({ to: phone, channel: "sms" })).status);
const terminal = createInterface({ input: process.stdin, output: process.stderr });
const code = await terminal.question("code: ");
terminal.close();
console.log((await verify.verificationChecks.create({ to: phone, code })).status);
