"""Figures of the public `insurance_claims.csv`: counts per 1,000 claims and the words it uses.

Summary figures only, measured once; no row of the file is kept. A plain tuple means "about equally often".
"""

from __future__ import annotations

TYPES = {
    "Multi-vehicle Collision": 419,
    "Single Vehicle Collision": 403,
    "Vehicle Theft": 94,
    "Parked Car": 84,
}
SEVERITY = {
    True: {"Total Loss": 280, "Major Damage": 276, "Minor Damage": 266},  # collisions
    False: {"Trivial Damage": 90, "Minor Damage": 88},
}
COLLISION = {"Rear Collision": 292, "Side Collision": 276, "Front Collision": 254}
AUTHORITIES = {
    True: {"Fire": 223, "Police": 205, "Other": 198, "Ambulance": 196},
    False: {"None": 91, "Police": 87},
}
STATES = {"NY": 262, "SC": 248, "WV": 217, "VA": 110, "NC": 110, "PA": 30, "OH": 23}
UMBRELLA = {
    0: 798, 6_000_000: 57, 5_000_000: 46, 4_000_000: 39, 7_000_000: 29, 3_000_000: 12, 8_000_000: 8,
    9_000_000: 5, 2_000_000: 3, 10_000_000: 2, -1_000_000: 1,
}  # fmt: skip
VEHICLES = {3: 358, 4: 31, 2: 30}
YES_NO = {"?": 35, "NO": 34, "YES": 31}
HOURS = {  # by collision or not; thefts and parked cars are found in the morning
    True: [48, 27, 29, 29, 30, 15, 27, 22, 17, 21, 40, 30, 39, 42, 41, 37, 46, 50, 42, 37, 30, 39, 36, 50],
    False: [4, 2, 2, 24, 16, 18, 17, 18, 19, 22, 6, 0, 1, 4, 2, 2, 4, 3, 2, 4, 4, 3, 2, 1],
}
POLICY_STATES = {"OH": 352, "IL": 338, "IN": 310}
CSL = {"250/500": 351, "100/300": 349, "500/1000": 300}
DEDUCTIBLES = {1000: 351, 500: 342, 2000: 307}
EDUCATION = ("Associate", "College", "High School", "JD", "MD", "Masters", "PhD")
OCCUPATIONS = (
    "adm-clerical", "armed-forces", "craft-repair", "exec-managerial", "farming-fishing", "handlers-cleaners",
    "machine-op-inspct", "other-service", "priv-house-serv", "prof-specialty", "protective-serv", "sales",
    "tech-support", "transport-moving",
)  # fmt: skip
HOBBIES = (
    "base-jumping", "basketball", "board-games", "bungie-jumping", "camping", "chess", "cross-fit", "dancing",
    "exercise", "golf", "hiking", "kayaking", "movies", "paintball", "polo", "reading", "skydiving", "sleeping",
    "video-games", "yachting",
)  # fmt: skip
RELATIONSHIPS = ("husband", "not-in-family", "other-relative", "own-child", "unmarried", "wife")
CITIES = ("Arlington", "Columbus", "Hillsdale", "Northbend", "Northbrook", "Riverwood", "Springfield")
STREETS = (
    "1st", "2nd", "3rd", "4th", "5th", "Andromedia", "Apache", "Best", "Britain", "Cherokee", "Elm", "Embaracadero",
    "Flute", "Francis", "Lincoln", "MLK", "Maple", "Oak", "Pine", "Rock", "Sky", "Solo", "Texas", "Tree",
    "Washington", "Weaver",
)  # fmt: skip
WAYS = ("Ave", "Drive", "Hwy", "Lane", "Ridge", "St")
CARS = {
    "Accura": ("MDX", "RSX", "TL"), "Audi": ("A3", "A5"), "BMW": ("3 Series", "M5", "X5", "X6"),
    "Chevrolet": ("Malibu", "Silverado", "Tahoe"), "Dodge": ("Neon", "RAM"), "Ford": ("Escape", "F150", "Fusion"),
    "Honda": ("Accord", "CRV", "Civic"), "Jeep": ("Grand Cherokee", "Wrangler"), "Mercedes": ("C300", "E400", "ML350"),
    "Nissan": ("Maxima", "Pathfinder", "Ultima"), "Saab": ("92x", "93", "95"),
    "Suburu": ("Forrestor", "Impreza", "Legacy"), "Toyota": ("Camry", "Corolla", "Highlander"),
    "Volkswagen": ("Jetta", "Passat"),
}  # fmt: skip
# Share of fraud in the real file, by severity without the two hobbies; with them it is .85 (.60 for major damage).
FRAUD = {"Major Damage": 0.605, "Total Loss": 0.048, "Minor Damage": 0.043, "Trivial Damage": 0.024}
FRAUD_HOBBIES = ("chess", "cross-fit")
FRAUD_HOBBY_RATE = {True: 0.60, False: 0.85}  # by major damage
FIRST = (
    "Ada",
    "Bela",
    "Chen",
    "Dora",
    "Emeka",
    "Fatma",
    "Goran",
    "Hana",
    "Ivan",
    "Jo",
    "Kofi",
    "Lena",
    "Mia",
    "Noor",
)
LAST = (
    "Ames",
    "Brook",
    "Cole",
    "Dietz",
    "Eaton",
    "Falk",
    "Gray",
    "Holm",
    "Iyer",
    "Jansen",
    "Kim",
    "Lopez",
    "Moss",
)
