"use strict";
// What the node peers share: a POST over kept connections, results written in batches, and processes.
// A parent prepares the leads while nobody works; its children start together, and the time is taken from
// then until the last result is recorded.
const { fork } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const { Pool } = require("undici");

const target = new URL(process.env.STUB);
const template = JSON.parse(fs.readFileSync(process.env.BODY));
const sockets = Number(process.env.PEER_SOCKETS || 64);
const client = new Pool(target.origin, { connections: sockets, pipelining: 1 });
const headers = { "content-type": "application/json" };

// Sends the product's body with this lead in it; answers the provider's call id.
exports.post = async (lead, attempt) => {
	const body = JSON.stringify({
		...template,
		phone_number: lead.phone,
		request_data: { ...template.request_data, contact: lead.contact, company: lead.company },
		metadata: { ...template.metadata, lead_id: String(lead.id), attempt_id: attempt },
	});
	const response = await client.request({ path: target.pathname, method: "POST", headers, body });
	const answer = response.statusCode === 200 ? await response.body.json() : {};
	if (answer.status !== "success") throw new Error(`the stub answered ${response.statusCode}`);
	return answer.call_id;
};

exports.lead = (n) => ({
	id: n,
	phone: `+1415${2000000 + n}`,
	contact: `Person ${n}`,
	company: `Company ${n % 977}`,
});
exports.attempt = () => crypto.randomUUID();

// Where results go: the columns that a call cannot do without.
exports.table = `create table calls (id uuid primary key, lead_id bigint not null, phone text not null,
	state text not null, provider_call_id text not null unique, placed_at timestamptz not null)`;
exports.recorded = async (pool) => {
	const text = "select count(distinct provider_call_id) as n from calls where state = 'placed'";
	const found = await pool.query(text);
	return Number(found.rows[0].n);
};

// record(...) is fulfilled once the row is durable. While one batch is being written, the next one gathers.
exports.recorder = (pool) => {
	let waiting = [];
	let writing = false;
	const write = async () => {
		writing = true;
		while (waiting.length) {
			const batch = waiting.splice(0, 500);
			try {
				await pool.query({
					name: "record",
					text: `insert into calls select id, lead_id, phone, 'placed', provider_call_id, now()
						from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[])
						as r (id, lead_id, phone, provider_call_id)`,
					values: [
						batch.map((r) => r.id),
						batch.map((r) => r.lead.id),
						batch.map((r) => r.lead.phone),
						batch.map((r) => r.call),
					],
				});
				for (const r of batch) r.resolve();
			} catch (e) {
				for (const r of batch) r.reject(e);
			}
		}
		writing = false;
	};
	return (id, lead, call) =>
		new Promise((resolve, reject) => {
			waiting.push({ id, lead, call, resolve, reject });
			if (!writing) setImmediate(() => writing || write());
		});
};

// prepare(n) in the parent; begin() in each child answers work(done), which is run at the start signal and
// calls done(k) for each k leads whose results are recorded; count() in the parent says how many really are.
exports.main = async ({ processes, prepare, begin, count }) => {
	if (process.env.CHILD) {
		const work = await begin();
		let told = 0;
		let soon = null;
		const done = (k) => {
			told += k;
			// Told every few milliseconds, and at the end of a burst.
			soon ??= setTimeout(() => {
				process.send({ done: told });
				told = 0;
				soon = null;
			}, 2);
		};
		process.on("message", (m) => (m === "stop" ? process.exit(0) : work(done)));
		process.send("ready");
		return;
	}
	const n = Number(process.argv[2]);
	await prepare(n);
	let ready = 0;
	let done = 0;
	let began = 0n;
	const children = [];
	const finish = async () => {
		const seconds = Number(process.hrtime.bigint() - began) / 1e9;
		for (const c of children) c.send("stop");
		const recorded = await count();
		process.stdout.write(JSON.stringify({ seconds, recorded }) + "\n", () => process.exit(0));
	};
	const hear = (m) => {
		if (m === "ready") {
			if (++ready < children.length) return;
			began = process.hrtime.bigint();
			for (const c of children) c.send("go");
		} else if (done < n) {
			done += m.done;
			if (done >= n) finish();
		}
	};
	for (let i = 0; i < processes; i++) {
		const child = fork(process.argv[1], process.argv.slice(2), { env: { ...process.env, CHILD: "1" } });
		child.on("message", hear);
		child.on("exit", (code) => code && process.exit(code));
		children.push(child);
	}
};
