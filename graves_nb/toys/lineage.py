"""Ten ideas of the paper, ten later works, and the threads between them."""

from html import escape

from traitlets import Int, List, TraitError, validate

from ..widgets import GravesWidget

# `named`: the later paper cites Graves (2013, or 2011 for the weight noise). Otherwise we see a likeness, no more.
THREADS = [
    dict(key="window", idea="Soft window", where="equations 46 to 51, chapter 8",
         does="At each point of ink, weigh every character of the text by its place, and read the weighted sum.",
         work="Attention", year=2014, who="Bahdanau, Cho and Bengio",
         did="At each word of a translation, score every word of the source by how well it fits, and read the average.",
         stayed="A weighted sum over the whole input, learnt without being told what belongs to what.",
         changed="The weights come from what stands there, not from the place alone. They sum to 1, and may go back.",
         named=True),
    dict(key="mixture", idea="Mixture density", where="equations 18 to 26, chapter 6",
         does="Let the outputs be the parameters of twenty weighted Gaussians, and draw the next offset from them.",
         work="sketch-rnn", year=2017, who="Ha and Eck",
         did="Draw cats and buses, pen movement after pen movement, from a short code for the whole drawing.",
         stayed="Offsets, and twenty weighted Gaussians for the next one.",
         changed="A code stands for the whole drawing, and a third state of the pen ends it.",
         named=True),
    dict(key="bias", idea="Bias", where="equations 61 and 62, chapter 9",
         does="One number, chosen after training, that trades variety for neatness in what is drawn.",
         work="Nucleus sampling", year=2019, who="Holtzman and others",
         did="Keep the likeliest words until their probabilities add up to 0.95, drop the rest, and draw.",
         stayed="A knob on the output alone. The training knows nothing of it.",
         changed="It cuts the tail off. The bias sharpens everything and cuts nothing.",
         named=False),
    dict(key="priming", idea="Priming", where="section 5.5, chapter 10",
         does="Feed the network a line of somebody's ink, then let it go on in the same hand. No weight moves.",
         work="In-context learning", year=2020, who="Brown and others (GPT-3)",
         did="Put a few solved examples in front of the question, and let the model carry on.",
         stayed="The state carries the example. What to imitate is shown, not trained.",
         changed="The example sets the task, where the prime set the hand.",
         named=False),
    dict(key="dynamic", idea="Dynamic evaluation", where="section 3, chapter 12",
         does="Go on learning during the test: predict, see what came, take a step of gradient descent.",
         work="Test-time training", year=2019, who="Sun and others",
         did="Before an image is classified, turn it, let the network guess the turn, and follow that gradient.",
         stayed="The weights learn from the test input itself, after training has ended.",
         changed="A second task stands in for the missing label. In a sequence the next item is the label.",
         named=False),
    dict(key="noise", idea="Adaptive weight noise", where="section 3, chapter 12",
         does="Give each weight a mean and a spread, learn both, and charge the network for its precision.",
         work="Bayes by Backprop", year=2015, who="Blundell and others",
         did="Learn a distribution over the weights: draw a sample at each pass, and follow the gradient through it.",
         stayed="The loss: what the data cost, plus what the weights cost.",
         changed="The spread learns from the draw itself, where the older rule squares the gradient.",
         named=True),
    dict(key="rmsprop", idea="The paper's RMSProp", where="equations 38 to 45, chapter 3",
         does="Divide each weight's gradient by a running estimate of its spread, then add momentum.",
         work="Adam", year=2014, who="Kingma and Ba",
         did="Average the gradient and its square over the last steps, correct both for their start, and divide.",
         stayed="Each weight has a step size of its own, set by its own gradients.",
         changed="The average is taken before the division, and the first steps are corrected.",
         named=True),
    dict(key="peephole", idea="Peepholes", where="equations 7, 8 and 10, chapter 2",
         does="Let the gates look at the memory cell itself.",
         work="A search space odyssey", year=2015, who="Greff and others",
         did="Take the LSTM apart, train it without each part in turn, and see which it needs.",
         stayed="The cell, the gates, and above all the forget gate.",
         changed="The peepholes went: on three tasks nothing significant was lost without them.",
         named=False),
    dict(key="cell", idea="Memory cell", where="equation 9, chapter 2",
         does="Keep a running number: one gate lets it fade, another lets new things in.",
         work="Mamba", year=2023, who="Gu and Dao",
         did="Let a state fade and fill at rates that the input sets, in a form that all steps can share at once.",
         stayed="A gated running sum, and a memory that does not grow with the sequence.",
         changed="The rates see the input alone, not the last output. So the loop can be taken apart.",
         named=False),
    dict(key="skip", idea="Skip connections", where="equations 1 to 3, chapter 3",
         does="Join the input to every layer and every layer to the output, to shorten the way of the gradient.",
         work="Residual networks", year=2015, who="He and others",
         did="Let each block of layers add to what came in, and go down to 152 layers.",
         stayed="A short way past the layers, for the signal and for its gradient.",
         changed="The short way is a plain sum. The paper's has weights of its own.",
         named=False),
]  # fmt: skip
KEYS = [thread["key"] for thread in THREADS]


class Lineage(GravesWidget):
    """Ideas of 2013 on the left, later works on the right: `found` lists the keys of the threads drawn so far."""

    module = "lineage.js"
    sheets = ("widgets.css", "lineage.css")

    threads = List(THREADS).tag(sync=True)
    found = List([]).tag(sync=True)
    misses = Int(0, min=0).tag(sync=True)

    @validate("found")
    def _check_found(self, proposal) -> list:
        unknown = [key for key in proposal.value if key not in KEYS]
        if unknown or len(set(proposal.value)) < len(proposal.value):
            raise TraitError(f"The threads found must be different names out of {', '.join(KEYS)}.")
        return proposal.value

    def still(self) -> str:
        """Return both lists, with the threads that are found."""
        later = sorted(THREADS, key=lambda thread: thread["year"])
        left = "".join(f'<text y="{row(i)}">{t["idea"]}</text>' for i, t in enumerate(THREADS))
        right = "".join(f'<text x="240" y="{row(i)}">{t["year"]} {t["work"]}</text>' for i, t in enumerate(later))
        ends = [(row(i), row(later.index(t))) for i, t in enumerate(THREADS) if t["key"] in self.found]
        lines = "".join(f'<path d="M155 {a - 5}C200 {a - 5} 190 {b - 5} 232 {b - 5}"/>' for a, b in ends)
        ideas, works = (", ".join(name) for name in ([t["idea"] for t in THREADS], [t["work"] for t in later]))
        words = f"Two lists. Ideas of 2013: {ideas}. Later works, by year: {works}."
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 {row(len(THREADS))}" role="img" '
                f'aria-label="{escape(words)}"><g font-family="system-ui, sans-serif" font-size="15" '
                f'fill="currentColor">{left}{right}</g><g fill="none" stroke="currentColor" '
                f'stroke-width="2">{lines}</g></svg>')


def row(i: int) -> int:
    """Return where the i-th line of a list stands in the still picture."""
    return 22 + 28 * i
