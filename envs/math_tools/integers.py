"""Problems about whole numbers: remainders, and divisors, totients, digits."""

import math
from collections.abc import Callable
from random import Random

from .types import AnswerRules, Draft

PRIMES = tuple(n for n in range(2, 1_000) if all(n % d for d in range(2, math.isqrt(n) + 1)))


def modular(rng: Random, difficulty: int) -> Draft:
    """Remainder of a power, an inverse, or a number with given remainders."""
    return rng.choice((_power, _inverse, _remainders))(rng, difficulty)


def _modulus(rng: Random, difficulty: int) -> int:
    top = {1: 12, 2: 50, 3: 1_000, 4: 10**11, 5: 10**14}[difficulty]
    return rng.randint(max(5, top // 10), top)


def _power(rng: Random, difficulty: int) -> Draft:
    modulus = _modulus(rng, difficulty)
    base, exponent = rng.randint(2, 9 * 10 ** (difficulty - 1)), rng.randint(3, 5 * 4**difficulty)
    return Draft(
        question=f"What is the remainder when {base}^{exponent} is divided by {modulus}?",
        answer=str(pow(base, exponent, modulus)),
        work=(f"pow({base}, {exponent}, {modulus})",),
        meta={"ask": "power", "base": base, "exponent": exponent, "modulus": modulus},
    )


def _inverse(rng: Random, difficulty: int) -> Draft:
    modulus = _modulus(rng, difficulty)
    value = rng.randint(2, modulus - 1)
    while math.gcd(value, modulus) != 1:
        value = rng.randint(2, modulus - 1)
    return Draft(
        question=(
            f"Find the inverse of {value} modulo {modulus}, "
            f"that is the number n with 0 < n < {modulus} for which {value}*n leaves remainder 1 "
            f"when divided by {modulus}."
        ),
        answer=str(pow(value, -1, modulus)),
        rules=AnswerRules(form="number", names=("n",)),
        work=(f"pow({value}, -1, {modulus})",),
        meta={"ask": "inverse", "value": value, "modulus": modulus},
    )


def _remainders(rng: Random, difficulty: int) -> Draft:
    """Chinese remainders: the number is drawn, told by its remainders, and found again."""
    low, high = {1: (2, 9), 2: (5, 20), 3: (10, 99), 4: (1_001, 9_999), 5: (10_001, 99_999)}[
        difficulty
    ]
    count = 2 if difficulty <= 2 else 3
    moduli = [rng.randint(low, high)]
    while len(moduli) < count:
        candidate = rng.randint(low, high)
        if math.gcd(candidate, math.prod(moduli)) == 1:
            moduli.append(candidate)
    hidden, whole = rng.randrange(math.prod(moduli)), math.prod(moduli)
    pairs = [(hidden % m, m) for m in moduli]
    terms = [f"{r}*{whole // m}*pow({whole // m}, -1, {m})" for r, m in pairs]
    told = [f"remainder {r} when divided by {m}" for r, m in pairs]
    listed = ", ".join(told[:-1]) + f" and {told[-1]}"
    answer = sum(r * (whole // m) * pow(whole // m, -1, m) for r, m in pairs) % whole
    return Draft(
        question=f"What is the smallest non-negative whole number that leaves {listed}?",
        answer=str(answer),
        work=(f"({' + '.join(terms)}) % {whole}",),
        meta={"ask": "remainders", "moduli": list(moduli), "remainders": [r for r, _ in pairs]},
    )


def number_theory(rng: Random, difficulty: int) -> Draft:
    """Greatest common divisor, least common multiple, divisors, totient, digits, prime factors."""
    asks: tuple[Callable[[Random, int], Draft], ...] = (
        _gcd,
        _lcm,
        _divisors,
        _totient,
        _digit_sum,
        _factors,
    )
    return rng.choice(asks)(rng, difficulty)


def _pair(rng: Random, difficulty: int) -> tuple[int, int]:
    """Two numbers with a factor in common."""
    top = {1: 12, 2: 60, 3: 1_000, 4: 10**6, 5: 10**8}[difficulty]
    shared = rng.randint(max(2, top // 10), top)
    first, second = rng.sample(range(max(2, top // 10), top + 1), 2)
    return shared * first, shared * second


def _gcd(rng: Random, difficulty: int) -> Draft:
    first, second = _pair(rng, difficulty)
    return Draft(
        question=f"What is the greatest common divisor of {first} and {second}?",
        answer=str(_euclid(first, second)),
        work=(f"gcd({first}, {second})",),
        meta={"ask": "gcd"},
    )


def _lcm(rng: Random, difficulty: int) -> Draft:
    first, second = _pair(rng, difficulty)
    return Draft(
        question=f"What is the least common multiple of {first} and {second}?",
        answer=str(first // _euclid(first, second) * second),
        work=(f"lcm({first}, {second})",),
        meta={"ask": "lcm"},
    )


def _euclid(first: int, second: int) -> int:
    while second:
        first, second = second, first % second
    return first


def _composite(rng: Random, difficulty: int) -> int:
    """A product of primes small enough to be found by trial."""
    low = {1: 10, 2: 60, 3: 1_000, 4: 10**9 + 1, 5: 10**12}[difficulty]
    pool = PRIMES[: {1: 4, 2: 6, 3: 12, 4: 60, 5: 168}[difficulty]]
    product = 1
    while product < low:
        product *= rng.choice(pool)
    return product


def prime_powers(number: int) -> dict[int, int]:
    """Prime -> exponent, by trial division."""
    found: dict[int, int] = {}
    prime = 2
    while prime * prime <= number:
        while number % prime == 0:
            found[prime] = found.get(prime, 0) + 1
            number //= prime
        prime += 1
    return found | ({number: found.get(number, 0) + 1} if number > 1 else {})


def _divisors(rng: Random, difficulty: int) -> Draft:
    number = _composite(rng, difficulty)
    powers = prime_powers(number)
    return Draft(
        question=f"How many positive divisors does {number} have, 1 and itself included?",
        answer=str(math.prod(e + 1 for e in powers.values())),
        rules=AnswerRules(form="number", units=("divisors", "positive divisors")),
        work=(_product(powers), "*".join(f"({e} + 1)" for e in powers.values())),
        meta={"ask": "divisors", "number": number},
    )


def _totient(rng: Random, difficulty: int) -> Draft:
    number = _composite(rng, difficulty)
    powers = prime_powers(number)
    answer = number
    for prime in powers:
        answer = answer // prime * (prime - 1)
    return Draft(
        question=(
            f"How many of the whole numbers from 1 to {number} have no common factor with {number} "
            "other than 1?"
        ),
        answer=str(answer),
        work=(_product(powers), "*".join(f"{p}**{e - 1}*({p} - 1)" for p, e in powers.items())),
        meta={"ask": "totient", "number": number},
    )


def _digit_sum(rng: Random, difficulty: int) -> Draft:
    base = rng.choice((2, 3, 5, 6, 7, 9))
    low, high = {1: (2, 5), 2: (4, 8), 3: (8, 10), 4: (30, 60), 5: (60, 150)}[difficulty]
    exponent = rng.randint(low, high)
    digits = str(base**exponent)
    return Draft(
        question=f"What is the sum of the decimal digits of {base}^{exponent}?",
        answer=str(sum(map(int, digits))),
        work=(f"{base}**{exponent}", " + ".join(digits)),
        meta={"ask": "digit_sum", "base": base, "exponent": exponent},
    )


def _factors(rng: Random, difficulty: int) -> Draft:
    number = _composite(rng, difficulty)
    powers = prime_powers(number)
    factors = [str(p) for p, e in powers.items() for _ in range(e)]
    return Draft(
        question=(
            f"List the prime factors of {number}, separated by commas; "
            "a factor that divides it several times is listed so many times."
        ),
        answer=", ".join(factors),
        rules=AnswerRules(form="set"),
        work=("*".join(factors),),
        meta={"ask": "factors", "number": number},
    )


def _product(powers: dict[int, int]) -> str:
    return "*".join(f"{p}**{e}" for p, e in powers.items())
