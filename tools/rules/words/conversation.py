"""What a message is, from its own words. What follows from it is `reducer.step`'s to say.

Approval words are read here, from the text the operator typed in this very message. No model, no history and no session
state has a say in it.
"""

from __future__ import annotations

import re

from tools.rules.hearing import quantities
from tools.values.events import Intent, Message

MESSAGE_BYTES_MAX = 16_384
"""Longer messages are answered, not read: a request for infrastructure is a few sentences."""


_APPROVE = re.compile(
    r"(?:i\s+)?approve\s+(?:plan\s+)?([0-9a-f]{8,64})(?:\s+as\s+([a-z][a-z0-9 _-]{0,30}?))?(?:\s+because\s+(.{1,500}))?",
    re.IGNORECASE,
)
_NEARLY = re.compile(
    r"(?:(?:please|ok|okay|yes|yep|sure|fine|good|i|we|now|then|and|so|go ahead)[ ,.!:]+)*approve\s+(?:plan\s+)?([0-9a-f]{6,64})"
    r"(?:[ ,.!]+(?:please|now|thanks|thank you))*",
    re.IGNORECASE,
)
"""Meant as one, and no exact one: it is told how to say it."""
_TAKES_BACK = re.compile(
    r"^\W*(?:no|nope|nah|not|never|wait|stop|cancel|hold|abort)\b(?! (?:one|other|longer)\b)"
    r"|\b(?:do not|don['’`]?t|never mind|nevermind|must not|should not)\b",
    re.IGNORECASE,
)
"""A reason that takes the approval back, or may."""
_CONFIRM = re.compile(r"confirm\s+([0-9a-f]{8,64})\s+([a-z0-9][a-z0-9._-]{0,90})", re.IGNORECASE)
_REMOVE = re.compile(
    r"(?:remove|destroy|delete|tear down)\s+(?:it|everything|this|(?:run\s+)?([A-Za-z0-9][A-Za-z0-9_-]{0,40}))", re.IGNORECASE
)
_LOOK = re.compile(r"(status|follow|drift)(?:\s+(?:of\s+)?(?:run\s+)?([A-Za-z0-9][A-Za-z0-9_-]{0,40}))?", re.IGNORECASE)
_PLAN = re.compile(r"(?:show\s+)?(?:me\s+)?(?:the\s+)?(?:plan|details of|details)\s+([0-9a-f]{8,64})", re.IGNORECASE)
_BACK = re.compile(r"(?:roll\s+back|rollback)\s+(?:the\s+)?([a-z0-9][a-z0-9_-]{0,40}(?: [a-z0-9][a-z0-9_-]{0,40}){0,2})", re.IGNORECASE)
_AGAIN = re.compile(r"(retry|try\s+again|roll\s+back|rollback|leave|keep)\s+(?:the\s+)?(?:run\s+)?(run-[a-z0-9-]{1,40})", re.IGNORECASE)
_WALK = re.compile(r"(undo|redo|take back)\s+(?:the |my )?(?:last )?([\w-]+) (?:changes|edits|steps|messages)", re.IGNORECASE)
_RESUME = re.compile(r"(?:resume|take up|apply)\s+(request-[0-9a-f]{8,64})", re.IGNORECASE)

_CANCEL = "|".join(f"{verb} {what}" for verb in ("cancel", "stop", "abort", "discard") for what in ("it", "the plan", "the run"))
_SAYINGS: dict[Intent, str] = {
    Intent.APPROVE_WHAT: "approve|approved|yes|y|yes please|go|go ahead|apply|confirm|lgtm|do it|ok go|go for it|ship it|build it"
    "|make it so"
    "|looks good|looks good to me|sounds good|looks fine|fine|fine by me|fine with me|all good|it's fine|it's fine as it is|that's fine|+1"
    "|approve it|approve it now|approve this|approve that|approve now|approve the plan|i approve|approve please|please approve"
    "|ja|ja bitte|passt|passt so|mach das|mach es|genehmigt|freigegeben|los|oui|vas-y|d'accord|approuvé|c'est bon|sí|vale|adelante"
    "|aprobado|hazlo"
    "|evet|tamam|onaylıyorum|onaylandı|yap",
    Intent.TAKE: "ok|okay|ok do it|as you suggest|as suggested|take your suggestion|take your suggestions|your suggestions"
    "|use your suggestions|take the suggestions|use the suggestions|take the defaults|use the defaults",
    Intent.CANCEL: "no|n|nope|no thanks|no thank you|cancel|stop|abort|reject|never mind|nevermind|forget it|discard|please stop"
    "|forget about it|let's forget about it|let's forget it|forget it please|vergiss es|laisse tomber|olvídalo|boş ver"
    f"|please cancel|cancel please|stop please|abbrechen|annuler|cancelar|iptal|{_CANCEL}",
    Intent.RETRY: "retry|try again|again|try it again|retry it|plan|plan again",
    Intent.ROLL_BACK: "roll back|rollback|roll it back",
    Intent.UNDO: "undo|undo that|undo it|undo this|undo the last change|undo my last change|undo the last edit|undo the last one"
    "|undo last change|take that back|take it back|i take that back"
    "|rückgängig|rückgängig machen|mach das rückgängig|annule la dernière modification|défaire|deshacer|deshaz eso|geri al",
    Intent.REDO: "redo|redo that|redo it|undo the undo",
    Intent.SHOW: "show request|show the request|show my request|show me the request|request|my request|what have i asked for"
    "|what have you understood|what did you understand|what have you got so far|what do you have so far|so far"
    "|summary|summarise|summarize|recap",
    Intent.LEAVE: "leave|leave it|keep it|keep",
    Intent.LIST: "list|runs|list runs|history",
    Intent.DRIFT: "drift|show drift|has anything drifted|has it drifted|what has drifted|has anything changed|is it still as it was made",
    Intent.INBOX: "inbox|what waits for me|what is waiting for me|what's waiting for me|what waits for my approval|what should i approve"
    "|what must i approve|what do i have to approve|show my inbox|my inbox",
    Intent.EXPLAIN: "details|why|arithmetic|resources|guide",
    Intent.STATUS: "thanks|thank you|thanks a lot|many thanks|thank you very much|thx|ty|cheers|cool|nice|great|haha|haha great"
    "|wait|hold on"
    "|one moment|just a moment|let me think|danke|danke schön|vielen dank|merci|merci beaucoup|gracias|muchas gracias|teşekkürler|sağ ol",
    Intent.HELP: "help|?|what can you do|help me|what can i ask for|what do you know|hilfe|aide|ayuda|yardım",
    Intent.GREET: "hello|hi|hi there|hey|hey there|hello there|good morning|good afternoon|good evening|hallo|guten tag|guten morgen|moin"
    "|bonjour|salut|hola|merhaba|selam",
}
_PLAIN = {saying: intent for intent, sayings in _SAYINGS.items() for saying in sayings.split("|")}

_NUMBERS = re.compile(r"(?:(?:number|no\.?|option)\s+)?(\d{1,2})(?:\s*(?:,|and|&|\s)\s*(\d{1,2}))*", re.IGNORECASE)


_ORDINALS = {"first": 1, "former": 1, "second": 2, "latter": 2, "third": 3, "fourth": 4, "fifth": 5}
_ORDINAL = re.compile(rf"(?:i (?:mean|meant) )?(?:the )?({'|'.join(_ORDINALS)})(?: one)?", re.IGNORECASE)


def numbers(text: str) -> tuple[int, ...]:
    """`1`, `2 and 3`, `the second one`: of a message that is nothing but numbers; else none."""
    bare = text.strip().rstrip(".!").strip()
    if found := _ORDINAL.fullmatch(bare):
        return (_ORDINALS[found[1].lower()],)
    return tuple(int(one) for one in re.findall(r"\d{1,2}", bare)) if _NUMBERS.fullmatch(bare) else ()


def _of_parts(word: str) -> Intent | None:
    """`looks good, ship it`: sayings that all agree, one of them to what is shown."""
    meant = {_PLAIN.get(part.strip()) for part in re.split(r"[,.!;]+", word) if part.strip()}
    agreeing = {Intent.APPROVE_WHAT, Intent.TAKE, Intent.STATUS}
    return Intent.APPROVE_WHAT if Intent.APPROVE_WHAT in meant and meant <= agreeing else None


def read(text: str) -> Message:
    """What a message is, from its own words alone. Never raises."""
    bare = text.strip().rstrip(".!").strip()
    if not bare:
        return Message(intent=Intent.EMPTY, text="")
    if len(text.encode("utf-8", "replace")) > MESSAGE_BYTES_MAX:
        return Message(intent=Intent.TOO_LONG, text="")
    if (found := _APPROVE.fullmatch(bare)) and _TAKES_BACK.search(found[3] or ""):
        return Message(intent=Intent.APPROVE_WHAT, text=text)  # Whatever it means, it is no clear yes.
    if found:
        digest, role, reason = found.groups()
        return Message(
            intent=Intent.APPROVE, text=text, digest_typed=digest.lower(), role=(role or "").lower().strip(), reason=reason or ""
        )
    if found := _CONFIRM.fullmatch(bare):
        digest, part = found.groups()
        return Message(intent=Intent.APPROVE, text=text, digest_typed=digest.lower(), role=f"confirm {part.lower()}")
    if found := _NEARLY.fullmatch(bare):
        return Message(intent=Intent.APPROVE_WHAT, text=text, digest_typed=found[1].lower())
    word = bare.rstrip("?").strip().lower() or "?"
    if plain := _PLAIN.get(word) or _of_parts(word):
        return Message(intent=plain, text=text, subject=word if plain is Intent.EXPLAIN else "")
    if found := _REMOVE.fullmatch(bare):
        return Message(intent=Intent.REMOVE, text=text, subject=found.group(1) or "")
    if found := _PLAN.fullmatch(bare):
        return Message(intent=Intent.SHOW_PLAN, text=text, subject=found.group(1).lower())
    if found := _AGAIN.fullmatch(bare):
        return Message(intent=_PLAIN[" ".join(found.group(1).lower().split())], text=text, subject=found.group(2).lower())
    if found := _BACK.fullmatch(bare):
        return Message(intent=Intent.ROLL_BACK, text=text, subject=found.group(1))
    if (found := _WALK.fullmatch(bare)) and (steps := quantities.count(found.group(2))):
        return Message(intent=Intent.REDO if found.group(1).lower() == "redo" else Intent.UNDO, text=text, subject=str(steps))
    if found := _RESUME.fullmatch(bare):
        return Message(intent=Intent.RESUME, text=text, subject=found.group(1).lower())
    if found := _LOOK.fullmatch(bare):
        return Message(intent=Intent(found.group(1).lower()), text=text, subject=found.group(2) or "")
    return Message(intent=Intent.WORDS, text=text)
