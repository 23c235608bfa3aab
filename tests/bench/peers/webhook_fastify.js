"use strict";
// Fastify and pg, with the very same SQL function as the product; a prepared statement, a pool of eight.
const crypto = require("node:crypto");
const fs = require("node:fs");
const { Pool } = require("pg");
const app = require("fastify")({ logger: false });

const secret = process.env.WEBHOOK_SECRET;
const pool = new Pool({ host: process.env.PGHOST, max: 8 });
const speakers = { user: "person", assistant: "agent" };

// The signature is over the bytes as they came.
app.removeContentTypeParser("application/json");
app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

function signed(raw, signature) {
	const good = crypto.createHmac("sha256", secret).update(raw).digest();
	const given = Buffer.from(signature || "", "hex");
	return given.length === good.length && crypto.timingSafeEqual(given, good);
}

function report(body) {
	const disposition = body.disposition_tag || "";
	const good = disposition === "INTERESTED";
	return {
		kind: "post_call",
		provider_call_id: body.call_id,
		attempt_id: body.metadata.attempt_id,
		to: body.to,
		final: Boolean(body.completed),
		transcript: body.concatenated_transcript,
		turns: (body.transcripts || []).map((t) => ({
			speaker: speakers[t.user] || "other",
			text: t.text,
			at: t.created_at,
		})),
		answered_by: body.answered_by,
		disposition,
		ended_by: body.call_ended_by,
		summary: body.summary,
		started_at: body.started_at,
		ended_at: body.end_at,
		duration_seconds: Math.round(Number(body.corrected_duration || 0)),
		cost_micros: Math.round(Number(body.price || 0) * 1e6),
		outcome: good ? "interested" : "unknown",
		reason: "",
		rule: good ? "7" : "12",
		rule_version: 1,
		rank: good ? 60 : 10,
		suppress: false,
		number_invalid: false,
	};
}

const schema = { type: "object", properties: { status: { type: "string" }, verdict: { type: "string" } } };
app.post("/webhooks/bland", { schema: { response: { 200: schema } } }, async (request, reply) => {
	const raw = request.body;
	if (!signed(raw, request.headers["x-webhook-signature"])) return reply.code(401).send({ status: "refused" });
	const found = await pool.query({
		name: "event_receive",
		text: "select event_receive($1, $2, $3, $4, $5, $6, $7) as verdict",
		values: [
			"bland",
			crypto.createHash("sha256").update(raw).digest("hex"),
			"good",
			raw.toString(),
			JSON.stringify({ "Content-Type": request.headers["content-type"], signed: true }),
			JSON.stringify(report(JSON.parse(raw))),
			new Date(),
		],
	});
	return { status: "ok", verdict: found.rows[0].verdict };
});

app.listen({ path: process.argv[2] }).then(() => fs.chmodSync(process.argv[2], 0o666));
