"""Lists of words: those that tell a language, and those that a question does not ask for."""


def words(text: str) -> frozenset[str]:
    """The words of ``text``, which are separated by spaces."""
    return frozenset(text.split())


FRENCH_WORDS = words(
    "le la les des du un une est sont et dans pour que qui sur avec par pas ce cette ces aux il elle vous nous ne se "
    "plus ou au en comme mais être fait son sa ses leur"
)
ENGLISH_WORDS = words(
    "the of and is are to in that with for this be it as on by an or not from at which was you can will have has "
    "if but all your when"
)

STOP_WORDS = words(
    "a about above after again all also am an and any are as at be because been before being between both but by can "
    "could did do does doing don during each few for from further get had has have having he her here hers him his "
    "how i if in into is it its itself just let ll me might more most must my no nor not now of off on once only or "
    "other our out over own re s same shall she should so some such t than that the their them then there these they "
    "this those through to too under until up ve very was we were what when where which while who whom why will with "
    "would you your "
    "ai au aux avec c ce ceci cela ces cet cette ceux chez comme comment d dans de des donc du elle elles en est et "
    "etre eu faire fait faut il ils j je l la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on "
    "ou par pas peut peux plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si son "
    "sont sur ta te tes toi ton tu un une vos votre vous y"
)
