"use strict";
// Fastify, pg and mustache: the leads page with the same statements, cookie and markup as the product's.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const mustache = require("mustache");
const { Pool, types } = require("pg");
const app = require("fastify")({ logger: false });

const secret = process.env.SECRET_KEY;
const words = JSON.parse(fs.readFileSync(path.join(__dirname, "page_words.json"), "utf8"));
const statements = JSON.parse(fs.readFileSync(process.env.STATEMENTS, "utf8"));
const template = fs.readFileSync(path.join(__dirname, "page_leads.mustache"), "utf8");
mustache.parse(template); // once: kept in its cache
types.setTypeParser(20, Number);
const pool = new Pool({ host: process.env.PGHOST, max: 8 });

function session(header) {
	const cookie = (header || "").split("; ").find((c) => c.startsWith("__Host-trunkline="));
	const parts = cookie ? cookie.slice(17).split(".") : [];
	if (parts.length !== 3) return null;
	const good = crypto.createHmac("sha256", secret).update(`${parts[0]}.${parts[1]}`).digest();
	const given = Buffer.from(parts[2], "base64url");
	if (given.length !== good.length || !crypto.timingSafeEqual(given, good)) return null;
	const claims = JSON.parse(Buffer.from(parts[1], "base64url"));
	return claims.exp > Date.now() / 1000 ? claims : null;
}

// All at once on one connection, which sends them one after the other without coming back here.
async function ask(claims) {
	const client = await pool.connect();
	try {
		const now = new Date().toISOString();
		const answers = await Promise.all(
			statements.map((s, i) => {
				let values = s.params.map((v) => (/^\d{4}-\d\d-\d\d \d\d:/.test(v) ? now : v));
				if (s.name === "user_visit") values = [claims.uid, claims.epoch, new Date()];
				return client.query({ name: `s${i}`, text: s.sql, values });
			}),
		);
		return Object.fromEntries(answers.map((a, i) => [statements[i].name, a.rows]));
	} finally {
		client.release();
	}
}

const label = (word) => (word ? word[0].toUpperCase() + word.slice(1).replaceAll("_", " ") : "");

function pretty(phone) {
	if (!phone.startsWith("+1")) return phone;
	return `+1 ${phone.slice(2, 5)} ${phone.slice(5, 8)} ${phone.slice(8)}`;
}

function ago(at, now) {
	const seconds = Math.trunc((now - at) / 1000);
	const far = Math.abs(seconds);
	const text =
		far >= 86400
			? `${Math.trunc(far / 86400)} d`
			: far >= 3600
				? `${Math.trunc(far / 3600)} h`
				: far >= 60
					? `${Math.trunc(far / 60)} min`
					: "";
	if (!text) return "now";
	return seconds > 0 ? `${text} ago` : `in ${text}`;
}

function moment(at, now) {
	if (!at) return null;
	const iso = at.toISOString();
	return { at: `${iso.slice(0, 19)}Z`, local: at.toUTCString().slice(0, 22), ago: ago(at, now) };
}

function row(r, now) {
	r.pretty = pretty(r.phone);
	r.status_label = label(r.status);
	r.outcome_label = label(r.outcome);
	r.next = moment(r.next_at, now);
	r.last = moment(r.last_call_at, now);
	const held = r.enrollment_state === "waiting" || r.enrollment_state === "blocked";
	r.why = held && r.reason !== "new" ? r.reason : "";
	return r;
}

function chips(name, pairs) {
	const rest = pairs.map(([value, text]) => ({ value, label: text, href: `/leads?${name}=${value}` }));
	return [{ label: "All", href: "/leads", current: true }, ...rest];
}

const named = (list) => list.map((word) => [word, label(word)]);
const fixed = {
	statuses: chips("status", named(words.statuses)),
	outcomes: chips("outcome", named(words.outcomes)),
	consents: chips("consent", words.consents),
};

function model(found, claims) {
	const now = new Date();
	const frame = found.user_visit[0];
	const viewer = frame;
	const badges = { home: frame.alerts, calls: frame.ambiguous };
	const matches = found.lead_choices[0].few;
	const rows = found.lead_list.slice(0, 50);
	return {
		...fixed,
		now: `${now.toISOString().slice(0, 19)}Z`,
		nav: words.nav.map(([href, text, icon, more]) => ({
			href,
			label: text,
			icon,
			more,
			current: href === "/leads",
			badge: badges[icon],
		})),
		viewer: { email: viewer.email, role: label(viewer.role), initials: viewer.email.slice(0, 1) },
		csrf: crypto.createHmac("sha256", secret).update(`csrf ${claims.sid}`).digest("hex"),
		running: frame.running,
		sentence: `${Number(matches).toLocaleString("en-US")} leads`,
		lists: chips(
			"list",
			found.lead_choices[0].lists.map((name) => [name, name]),
		),
		campaigns: found.lead_choices[0].campaigns,
		leads: rows.map((r) => row(r, now)),
		next_url: found.lead_list.length > 50 ? `/leads?cursor=${rows[49].id}` : "",
	};
}

app.get("/leads", async (request, reply) => {
	const claims = session(request.headers.cookie);
	const found = claims && (await ask(claims));
	if (!found || !found.user_visit.length) return reply.code(303).header("location", "/login").send();
	return reply.type("text/html; charset=utf-8").send(mustache.render(template, model(found, claims)));
});

app.listen({ path: process.argv[2] }).then(() => fs.chmodSync(process.argv[2], 0o666));
