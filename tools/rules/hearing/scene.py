"""A message as the passes of the reader see it: its tokens, what they mean, what has been made of them, and what is denied."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.seen import MARGIN, NONE, NOTHING, QUANTITIES, Seen
from tools.rules.hearing.tokens.cutting import tokens
from tools.rules.hearing.words.dictionary import Catalogue, lexicon
from tools.rules.hearing.words.joining import compounds, in_numbers, is_title, joined, tagged, unglued
from tools.rules.hearing.words.meanings import Mark
from tools.rules.hearing.words.tongues import language_of


class Scene(Seen):
    @classmethod
    def of(cls, text: str, cleaned: str, catalogue: Catalogue, before: str = "", there: AbstractSet[str] = frozenset()) -> Scene:
        """`before`: what was typed earlier, which tells the language where this does not. `there`: capabilities of the request so far."""
        said, english = tokens(cleaned), lexicon(catalogue)
        earlier = language_of(tokens(before), english.knows) if before else ""
        words = lexicon(catalogue, language_of(said, english.knows, earlier) or ENGLISH)
        parted = (unglued(token, words) if token.kind != "name" or not is_title(said, n) else (token,) for n, token in enumerate(said))
        said = tuple(part for parts in parted for part in parts)
        said = tuple(words.mend(token) for token in in_numbers(compounds(said, words, cleaned), words))
        short = [token.glued and token.text in words.short and said[n - 1].kind == "number" for n, token in enumerate(said)]
        said = tuple(t._replace(text=words.short[t.text]) if is_short else t for t, is_short in zip(said, short, strict=True))
        marks = words.marks(said)
        mentions = joined(said, words.mentions(said, marks, there), marks, words)
        if among := tagged(said, marks, mentions):
            marks, mentions = ([mark for mark in several if mark.first not in among] for several in (marks, mentions))
        scene = cls(text, said, words, catalogue, marks, mentions, bytearray(len(said)), bytearray(len(said)), bytearray(len(said)))
        scene._at, scene._tokens = [NONE] * (len(said) + MARGIN), (*said, *[NOTHING] * MARGIN)
        scene._starts = [token.start for token in said]
        scene.spoken_of = frozenset((words.plain, *(name for mark in mentions for name in mark.names("service"))))
        scene._ends = {mark.last: mark for mark in mentions}
        for mark in marks:
            scene._at[mark.first : mark.last] = [mark] * (mark.last - mark.first)
            for name in mark.meanings.told:
                scene._by_name.setdefault(name, []).append(mark)
            for owner in mark.meanings.by_owner:
                scene._by_owner.setdefault(owner, []).append(mark)
        scene._deny()
        return scene

    # What is denied.

    def _deny(self) -> None:
        """`no backups`, then `port 443 is not needed`, then `the current server has only 2 cores`: what each of them reaches."""
        for mark in self.marks_of("deny"):
            corrects = self.is_text(mark.last, ",", "\n", ".")  # `no, 300 connections` denies nothing that follows
            corrects = corrects or self._only_says_no(mark)
            if not mark.does("affirm") and not self.denied[mark.first] and not corrects:
                self.leave(mark.first, self._denied_up_to(mark))
        for mark in self.marks_of("denied_after"):
            if mark.does("goes") and (self.is_listed(mark.last, "any_place") or self.does(mark.last, "lean", "to")):
                continue  # `it can go anywhere`, `it can go on pve2`
            told = [i for i in range(self.clause(mark.first), mark.first) if self.is_listed(i, "relative")]
            self.leave(told[-1] if told else self.clause(mark.first), mark.last)
        for i in range(2, len(self.said)):
            if (
                self.is_listed(i, "interjections", "no_behind")
                and self.stops(i + 1)
                and i - self.sentence(i)[0] > 2
                and self.is_left(i - 1)
            ):
                self.leave(self.clause(i), i + 1)  # `he also wants windows lol no`
        for mark in self.marks_of("former"):
            in_brackets = self.is_text(mark.first - 1, "(")
            tells = (in_brackets or self.token(mark.last).text.replace("'", "").isalpha()) and not {
                *self.at(mark.last).names("fact")
            } & self.words.placing
            of_two = self.is_listed(mark.first, "first_of_two") and (
                self.is_listed(mark.last, "needing", "is_to_be", "being") or self.does(mark.last, "with", "link")
            )  # `the former needs 4 GB`
            like = self.does(self.skip(mark.first - 2, mark.first, "copy"), "owned") and self.does(
                mark.first - 2, "copy"
            )  # `like the existing ones`
            if not self.denied[mark.first] and tells and not of_two and not like:
                noun = self.mention_before(mark.first) if self.words.language != ENGLISH else None  # `notre serveur actuel`
                self.leave(noun.first if noun else mark.first, self._former_up_to(mark))
        for mark in self.marks_of("beside"):  # `compared to app-01 (4 cores, 8 GB) we need twice the memory`
            close = self.find(mark.last, self.sentence(mark.first)[1], ")")
            stop = next(
                (i for i in range(close or mark.last, self.sentence(mark.first)[1]) if self.does(i, "ask_for") or self.is_text(i, ",")), 0
            )
            self.leave(mark.first, stop or self.sentence(mark.first)[1])
        for mark in self.marks_of("replaces"):
            self.leave(mark.first, self._replaced_up_to(mark))
        for mark in self.marks_of("it_has"):
            if not self.does(mark.last, "to") and self._is_of_another(mark):
                self.leave(mark.first, self.sentence(mark.last)[1])
        for mark in self.marks_of("because"):
            self.leave(mark.first, self._reason_up_to(mark.last))
        for mark in self.marks_of("first_thought"):
            first, last = self.sentence(mark.first)
            if self.has(last, len(self.said), *QUANTITIES) or self.has(0, first, *QUANTITIES):
                self.leave(first, last)
        for mark in self.marks_of("settles"):  # `ideally 12 cores, but 8 will do`
            first = self.sentence(mark.first)[0]
            but = next((i for i in range(first, mark.first) if self.does(i, "affirm") and self.does(i, "join", "deny", "affirm")), first)
            if self.any_does(first, but, "prefer") and self.has(first, but, *QUANTITIES) and self.has(but, mark.first, *QUANTITIES):
                self.leave(first, but)
        for mark in self.marks_of("if_so"):
            self.leave(*self.sentence(max(self.sentence(mark.first)[0] - 1, 0)))
        for mark in self.marks_of("remark"):
            if self.is_text(mark.first - 1, "("):  # `(currently a box with 24 cores, bought in 2017)`
                self.leave(mark.first, self.find(mark.last, len(self.said), ")") or mark.last)
            elif self._tells_how_it_is(mark) or self._is_before_more(mark):  # `we currently share app-02 (16 cores) with others`
                self.leave(*self.sentence(mark.first))

    def _tells_how_it_is(self, mark: Mark) -> bool:
        """A verb stands behind the word, and nothing in the sentence asks for anything."""
        begin, end = self.sentence(mark.first)
        asks = self.any_does(begin, end, "ask_for", "polite", "change", "until", "needed_by")
        return mark.first - begin <= 2 and self.is_plain_word(mark.last) and not asks and self.has(mark.last, end, "name")

    def _is_before_more(self, mark: Mark) -> bool:
        """`We currently run two web servers with 2 cores each. Please give us two more with 4 cores`: what there is already."""
        begin, end = self.sentence(mark.first)
        after = self.sentence(end + 1)
        sized = self.has(begin, end, *QUANTITIES) and self.has(*after, *QUANTITIES)
        return self.is_listed(mark.first, "nowadays") and mark.first - begin <= 3 and sized and self.any_does(*after, "ask_for", "polite")

    def _only_says_no(self, mark: Mark) -> bool:
        """`nein 8 GB`, `no 6`: the message is that and a figure."""
        end = self.skip(mark.last, len(self.said), "only", "bound")
        alone = mark.first == 0 and len(self.said) == end + 1 and self.kind(end) in QUANTITIES  # `no, just one`
        return alone or (self.is_listed(mark.first, "interjections") and self.kind(mark.last) in QUANTITIES)

    def _is_of_another(self, mark: Mark) -> bool:
        """`The print server is slow. It has 2 cores`, and not `We need a VM. It has 2 cores`: nobody asks for the thing before."""
        begin, end = self.sentence(max(self.sentence(mark.first)[0] - 1, 0))
        things = [one for one in self.mentions if begin <= one.first < min(end, mark.first)]
        asks = self.any_does(begin, end, "ask_for", "polite", "change")
        return not things or bool(self.denied[things[-1].first]) or (self.does(things[-1].first - 1, "owned") and not asks)

    def _reason_up_to(self, number: int) -> int:
        """To the end of the clause, or to where something is asked for: `since the old one died we need a VM`."""
        while not self.stops(number) and not self.is_text(number, ",", ")", ":"):
            if self.asks_for_new(number):
                return number
            number += 1
        return number

    def asks_for_new(self, number: int) -> bool:
        """`we need a VM`, `to a PostgreSQL`, `is replaced by two VMs`."""
        last = self.at(number).last
        names = self.introduces(last) or self.is_listed(last, "something")
        return self.does(number, "ask_for", "to", "becomes") and not self.does(number, "with") and names

    def _gives_way(self, number: int) -> bool:
        """`replace the old box with a VM`, `with two new ones`."""
        counts = self.skip(number + 1, number + 4, "article") - number > 1 or self.kind(number + 1) == "number"
        return self.does(number, "with", "by") and (self.introduces(number + 1) or (counts and self._are_ones(number + 2)))

    def _are_ones(self, number: int) -> bool:
        return any(self.is_listed(i, "ones") for i in range(number, number + 2))

    def _denied_up_to(self, mark: Mark) -> int:
        """To the end of the clause, or to a word that affirms."""
        last = mark.last
        while not self.stops(last) and not self.is_text(last, ",", "(", ")"):
            affirms = self.does(last, "affirm") and not self.does(last, "deny", "change") and last > mark.last
            parts = self.is_text(last, "/") and not self.said[last].glued and self.kind(last + 1) not in QUANTITIES  # `16 cores / 64 GB`
            other = (
                self.does(mark.first, "except") and last > mark.last and self.is_listed(last, "needing")
            )  # `instead of 8 GB it needs 16`
            if affirms or parts or other:
                break
            last += 1
        return last

    def _replaced_up_to(self, mark: Mark) -> int:
        """Of `replace the box (24 cores) with a VM` up to what takes its place; of `it replaces a box with 24 cores, 64 GB` to its end, of
        `to replace our MySQL, production` to the comma: what follows no figure is no figure of it."""
        last, depth = mark.last, 0
        while not self.stops(last) and (depth or not self._leads_to_new(last)):
            depth += self.is_text(last, "(") - self.is_text(last, ")")
            if depth < 0 or (depth == 0 and self.is_text(last, ",") and not self.has(mark.last, last, *QUANTITIES)):
                break
            last += 1
        return last

    def _leads_to_new(self, number: int) -> bool:
        """`with a VM`; not `with 24 cores`."""
        return self.does(number, "with", "by") and not {*self.at(number + 2).names("fact")} - {"count"}

    def _former_up_to(self, mark: Mark) -> int:
        """`our old box`, up to a comma; `our old box has 2 cores, 4 GB and dies`, up to where something is asked for;
        `from the old MySQL to a PostgreSQL`, up to what comes."""
        last, depth, listed_below, tells = mark.last, 0, self.is_text(mark.last + 1, ":"), False
        if self.is_text(mark.first - 1, "("):  # `our media box is dying (old i5, 8 GB)`
            return self.find(last, self.sentence(last)[1], ")") or last
        replaced = self.any_does(self.sentence(mark.first)[0], mark.first, "replaces")
        while not self.stops(last) and not self.asks_for_new(last) and not (replaced and self._gives_way(last)):
            if depth == 0 and self.does(last, "join", "affirm") and self.does(last + 1, "ask_for", "polite"):
                break  # `we retire the old one and want to try Zammad`
            depth += self.is_text(last, "(") - self.is_text(last, ")")
            tells = tells or self.does(last, "with") or self.is_text(last, ":")
            on = listed_below or (tells and not self.any_does(last, last + 7, "ask_for"))
            if depth < 0 or (depth == 0 and self.is_text(last, ",") and not on):
                break
            last += 1
        return last
