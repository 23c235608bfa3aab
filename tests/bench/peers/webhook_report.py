"""What FastAPI peers make of a report: the members that the product takes from the same body."""
import hashlib
import hmac
import os

SECRET = os.environ["WEBHOOK_SECRET"].encode()


def signed(raw, signature):
    return hmac.compare_digest(hmac.new(SECRET, raw, hashlib.sha256).hexdigest(), signature or "")


def digest(raw):
    return hashlib.sha256(raw).hexdigest()


def report(body):
    disposition = body.get("disposition_tag") or ""
    outcome, rule, rank = ("interested", "7", 60) if disposition == "INTERESTED" else ("unknown", "12", 10)
    speakers = {"user": "person", "assistant": "agent"}
    turns = [
        {
            "speaker": speakers.get(t.get("user"), "other"),
            "text": t.get("text", ""),
            "at": t.get("created_at"),
        }
        for t in body.get("transcripts") or []
    ]
    return {
        "kind": "post_call",
        "provider_call_id": body["call_id"],
        "attempt_id": body["metadata"]["attempt_id"],
        "to": body.get("to"),
        "final": bool(body.get("completed")),
        "transcript": body.get("concatenated_transcript"),
        "turns": turns,
        "answered_by": body.get("answered_by"),
        "disposition": disposition,
        "ended_by": body.get("call_ended_by"),
        "summary": body.get("summary"),
        "started_at": body.get("started_at"),
        "ended_at": body.get("end_at"),
        "duration_seconds": round(float(body.get("corrected_duration") or 0)),
        "cost_micros": round(float(body.get("price") or 0) * 1e6),
        "outcome": outcome,
        "reason": "",
        "rule": rule,
        "rule_version": 1,
        "rank": rank,
        "suppress": False,
        "number_invalid": False,
    }
