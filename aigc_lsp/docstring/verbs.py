"""Verbs that code is described with, and their forms: "Returns" and "Return"."""

from __future__ import annotations

_BASES = """
abort accept access acquire activate adapt add adjust advance aggregate align allocate allow alter analyze annotate
announce append apply approximate archive arrange ask assemble assert assign assume attach attempt authenticate
authorize await back backup balance begin bind block boost bootstrap bound break broadcast browse buffer build bump
bundle cache calculate calibrate call cancel capture cast catch center chain change check choose chop clamp classify
clean clear click clip clone close coerce collapse collate collect combine commit compact compare compile complete
compose compress compute concatenate configure confirm connect consider construct consume contain continue control
convert convolve coordinate copy correct count cover crawl create crop customize cut cycle deactivate debug decide
declare decode decompose decompress decorate decrease decrement decrypt deduce deduplicate defer define delay delegate
delete deliver demangle deploy dequeue derive describe deserialize destroy detach detect determine diff digest disable
discard disconnect discover dispatch display dispose distribute divide do download drain draw drive drop dump
duplicate edit embed emit empty emulate enable encode encrypt end enforce enqueue ensure enter enumerate erase escape
establish estimate evaluate evict examine exchange exclude execute exit expand expect explain export expose express
extend extract factor fail feed fetch fill filter finalize find finish fire fit fix flag flatten flip flush focus fold
follow force forget fork form format forward free freeze fuse gather generate get give go grab grant group grow guard
guess halt handle hash help hide highlight hold hook identify ignore implement import improve include increase
increment index indicate infer inflate inherit initialise initialize inject insert inspect install instantiate
integrate interact intercept interpolate interpret interrupt intersect invalidate invert invoke issue iterate join
jump keep kill label launch lay lead leave let limit link list listen load localize locate lock log look lower make
manage map mark mask match materialize measure merge migrate mix modify monitor mount move multiply mutate name
navigate normalize notify obtain offer omit open optimize order output override overwrite own pack pad paginate parse
partition pass paste patch pause peek perform permute persist pick ping place plan play plot point poll pop populate
position post prefetch prepare prepend present preserve press prevent print probe process produce profile project
promote prompt propagate protect provide prune publish pull purge push put quantize query queue quit quote raise
randomize rank rate read rebuild recalculate receive recognize recompute reconnect reconstruct record recover recreate
recurse redirect redo reduce refactor refer refine reflect refresh register reject relate release reload remap remove
rename render reorder repair repeat replace replay reply report represent request require rescale reserve reset
reshape resize resolve respond restart restore restrict resume retain rethrow retrieve retry return reuse reverse
revert rewind rewrite rotate round route run sample sanitize save scale scan schedule score scrape scroll seal search
seed seek select send separate serialize serve set shift show shrink shuffle shut shutdown sign signal simplify
simulate skip sleep slice slide snap solve sort spawn specify split spread stack start stash stop store stream
stringify strip style submit subscribe subtract sum summarize supply support suppress suspend swap switch sync
synchronize tag take tell terminate test throw tick toggle tokenize touch track train transfer transform transition
translate transmit transpose traverse treat trigger trim truncate try tune turn unbind unblock undo unescape unfold
unify uninstall union unlink unload unlock unmount unpack unregister unsubscribe unwrap update upgrade upload use
validate verify view visit visualize wait wake walk warn watch weigh work wrap write yield zip zoom
"""

VERBS = frozenset(_BASES.split())

_SES = {"caches": "cache", "goes": "go", "does": "do", "undoes": "undo", "redoes": "redo", "has": "have", "is": "be"}


def base(word: str) -> str:
    """The imperative of a verb that is one by its looks ("Returns" → "return"), in lower case, or ""."""
    lower = word.lower()
    for found in (lower, _SES.get(lower, ""), *_without_ending(lower)):
        if found in VERBS:
            return found
    return ""


def looks_like_verb(word: str) -> bool:
    """Whether a word is one, or made as new ones are ("Eulerize", "reifies")."""
    return bool(base(word)) or word.lower().endswith(("ize", "ise", "ify", "izes", "ises", "ifies"))


def _without_ending(word: str) -> tuple[str, ...]:
    if word.endswith("ing") and len(word) > 5:
        stem = word[:-3]
        return stem, f"{stem}e", stem[:-1] if stem[-1:] == stem[-2:-1] else ""
    if not word.endswith("s") or word.endswith("ss"):
        return ()
    return word[:-1], word[:-2] if word.endswith("es") else "", f"{word[:-3]}y" if word.endswith("ies") else ""


def third_person(verb: str) -> str:
    """What a base form becomes: "return" → "returns"."""
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return f"{verb[:-1]}ies"
    return verb + ("es" if verb.endswith(("ss", "x", "z", "ch", "sh", "o")) else "s")
