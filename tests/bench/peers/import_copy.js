"use strict";
// csv-parse reads, libphonenumber-js checks, pg-copy-streams stages; then one INSERT … SELECT … ON CONFLICT.
// Lines without a usable number go to a table of problems, as an import must say what it left out.
// usage: import_copy.js FILE
const fs = require("node:fs");
const { Readable, Transform } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const { parse } = require("csv-parse");
const { parsePhoneNumberFromString } = require("libphonenumber-js");
const { Client } = require("pg");
const { from } = require("pg-copy-streams");

const problems = [];
const escapes = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };
const field = (s) => s.replace(/[\\\t\n\r]/g, (c) => escapes[c]);

// Rows to COPY text, in pieces large enough to be worth a write.
function judge() {
	let text = "";
	let line = 1;
	return new Transform({
		writableObjectMode: true,
		transform(row, _encoding, next) {
			line++;
			const number = parsePhoneNumberFromString(row[0], "US");
			if (number && number.isValid()) {
				text += number.number;
				for (let i = 1; i < row.length; i++) text += "\t" + field(row[i]);
				text += "\n";
			} else {
				problems.push(`${line}\t${field(row[0])}\tThis is no phone number.\n`);
			}
			if (text.length < 65536) return next();
			const piece = text;
			text = "";
			next(null, piece);
		},
		flush(next) {
			next(null, text);
		},
	});
}

async function main(path) {
	const client = new Client({ host: process.env.PGHOST });
	await client.connect();
	await client.query("create table problems (line bigint primary key, phone text, reason text)");
	const began = process.hrtime.bigint();
	await pipeline(
		fs.createReadStream(path, { highWaterMark: 1 << 18 }),
		parse({ from_line: 2 }),
		judge(),
		client.query(from("copy stage from stdin")),
	);
	await pipeline(Readable.from(problems), client.query(from("copy problems from stdin")));
	await client.query(process.env.MERGE);
	const seconds = Number(process.hrtime.bigint() - began) / 1e9;
	console.log(JSON.stringify({ seconds, rejected: problems.length }));
	await client.end();
}

main(process.argv[2]);
