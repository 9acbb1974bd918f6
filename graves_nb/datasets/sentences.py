"""Sentences for synthetic ink: plain words in no particular order, with some of everything."""

import numpy as np

WORDS = np.array("""
the of and to a in that is was he for it with as his on be at by had not are but from or have an they which
one you were her all she there would their we him been has when who will more no if out so said what up its about into
than them can only other new some could time these two may then do first any my now such like our over man me even most
made after also did many before must through back years where much your way well down should because each just those
people how too little state good very make world still own see men work long get here between both life being under
never day same another know while last might us great old year off come since against go came right used take three
himself few house use during without again place around home small found thought went say part once general high upon
school every country until always water put fact though less hand night head yet government system better set told
nothing end why called eyes find going look asked later point knew next city business give group toward young days let
room president side social given present several order national possible rather second face per among form important
often things looked early white case large big need four within felt along children saw best church ever least power
light family interest want seemed area mind door close open sound kind matter quite full north south whole either
question above act taken table word half street river road field garden window letter paper story music picture winter
summer spring morning evening minute hour week month friend mother father brother sister doctor teacher child king
queen horse dog cat bird fish tree leaf flower grass stone hill wind rain snow sun moon star fire earth sea ship boat
train wheel engine bridge tower wall floor chair glass bread milk sugar salt apple orange green blue red black brown
grey yellow quick brown fox jumps lazy box extra exact next tax six mix fix zero size prize lazy crazy dozen quiet
quite quote equal square queue major enjoy subject object judge join journey just knife know knock key sky weak break
voice river seven eleven travel valley have leave view visit wave giant large gentle bright flight thought daughter
laugh rough enough through write wrong wrist answer listen castle often debt doubt climb lamb thumb honest hour rhyme
pull full dull bell tall small wall spell still drill hollow yellow follow pillow happy pretty sunny funny berry carry
hurry worry sorry pepper supper dinner summer hammer common button cotton bottom matter better letter little middle
puzzle bottle kettle paddle saddle giggle bubble table able cable purple simple sample temple people couple double
trouble court count round sound ground found cloud proud mouth south house mouse shout about point coin boil oil spoil
noise choice toy boy joy enjoy royal loyal dream cream stream team steam clean mean bean leave speak weak peak real
deal meal seal heat meat seat treat feet meet sleep deep keep sheep green queen seen between wheel feel steel need seed
feed speed bleed free tree three agree coffee
""".split())

NAMES = np.array("""
Quentin Xavier Zoe Alice Bruno Clara David Emma Frank Grace Henry Iris Jacob Kate Louis Maria Nora Oscar
Peter Queen Ruth Simon Tom Una Victor Wendy Xenia York Zurich Quebec Oxford London Paris Rome Berlin Cairo Delhi Essex
Ghana Haiti India Japan Kent Lima Malta Norway Oslo Poland Quito Russia Spain Turkey Uganda Vienna Wales Yemen Zambia
Zagreb Zulu Quaker Xerxes January February March April May June July August September October November December
""".split())


def sentence(rng) -> str:
    """Return a line of 12 to 40 characters that uses, over many lines, the whole alphabet."""
    words = [word(rng) for _ in range(rng.integers(3, 8))]
    while len(" ".join(words)) > 38 or len(words) > 7:
        words.pop()
    while len(" ".join(words)) < 12:
        words.append(word(rng))
    if rng.random() < 0.5:
        words[0] = words[0][0].upper() + words[0][1:]
    if len(words) > 2 and rng.random() < 0.35:
        place = rng.integers(1, len(words) - 1)
        words[place] += str(rng.choice(list(",,,;:")))
    end = str(rng.choice(["", ".", "?", "!"], p=[0.4, 0.42, 0.1, 0.08]))
    return " ".join(words) + end


def word(rng) -> str:
    """Return a word, a name, a number, a word in capitals, or one between marks."""
    kind = rng.random()
    if kind < 0.72:
        return str(rng.choice(WORDS))
    if kind < 0.84:
        return str(rng.choice(NAMES))
    if kind < 0.91:
        return str(rng.integers(10 ** rng.integers(1, 5)))
    if kind < 0.94:
        return str(rng.choice(WORDS)).upper()
    return marked(str(rng.choice(WORDS)), rng)


def marked(plain: str, rng) -> str:
    """Put a word between marks, or give it one."""
    forms = ('"{}"', "({})", "{}'s", "{}-" + str(rng.choice(WORDS)), "#" + str(rng.integers(100)), "'{}'")
    return forms[rng.integers(len(forms))].format(plain)


def short_word(rng) -> str:
    """Return a few letters."""
    return str(rng.choice(WORDS))[:3]
