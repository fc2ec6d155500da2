"""A slow, obvious model: the whole lattice in one process, every formula written out.

It shares with the package the draws (a function of seed, stream, step and site) and nothing else.
Fields are (Lx, Ly) in double precision, transforms are complex, tracers are moved one by one.
"""

import numpy as np

from epmpi.config import Configuration
from epmpi.physics import randomness


class Oracle:
    """The model of Ferrero, Martens and Barrat, PRL 113, 248301 (2014).

    Attributes
    ----------
    stress, plastic_strain : float64 arrays, shape (Lx, Ly)
    active : int array, shape (Lx, Ly)
        n s.
    position : float64 array, shape (number, 2)
        Of the tracers, unwrapped.
    step_count, events : int
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.shape = configuration.lattice.shape
        model, propagator = configuration.model, configuration.propagator
        self.strain_rate = model.event_strain / (2 * model.relaxation_time)
        self.propagator = stress_propagator(
            self.shape, propagator.symbol, propagator.macroscopic, propagator.prefactor
        )
        self.plastic_strain = np.zeros(self.shape)
        self.strain_at_move = np.zeros(self.shape)
        self.stress = np.zeros(self.shape)
        if configuration.initial.state == "gaussian":
            self.stress = self.gaussian_stress()
        self.active = np.zeros(self.shape, int)
        if model.activation == "random":
            active = self.draw(randomness.INITIAL_ACTIVITY, 0) < model.activity
            sign = np.where(self.draw(randomness.INITIAL_ACTIVITY, 1) < 0.5, 1, -1)
            self.active = np.where(active, sign, 0)
        coordinates = np.arange(2 * configuration.tracers.number)
        drawn = uniforms(configuration.run.seed, randomness.TRACER_POSITIONS, 0, coordinates)
        self.position = drawn.reshape(-1, 2) * self.shape
        self.step_count = 0
        self.events = 0

    def draw(self, stream: int, step: int) -> np.ndarray:
        """Return a uniform of [0, 1) for each site."""
        sites = np.arange(self.shape[0] * self.shape[1])
        return uniforms(self.configuration.run.seed, stream, step, sites).reshape(self.shape)

    def gaussian_stress(self) -> np.ndarray:
        """Return independent Gaussian numbers, or G * such numbers of the same variance."""
        initial, propagator = self.configuration.initial, self.configuration.propagator
        radius = np.sqrt(-2 * np.log(1 - self.draw(randomness.INITIAL_STRESS, 0)))
        normal = radius * np.cos(2 * np.pi * self.draw(randomness.INITIAL_STRESS, 1))
        if initial.drawn == "site":
            return initial.stress_deviation * normal
        kernel = stress_propagator(self.shape, propagator.symbol, "stress", 1.0)
        field = np.fft.ifft2(kernel * np.fft.fft2(normal)).real
        return initial.stress_deviation * field / np.sqrt(np.mean(kernel**2))

    def step(self) -> None:
        """Advance by one step: Eq. (1) at frozen activity, then Eq. (2) at frozen stress."""
        model, dt = self.configuration.model, self.configuration.time.step
        strain_rate = self.strain_rate * self.active
        elastic = np.fft.ifft2(self.propagator * np.fft.fft2(strain_rate)).real
        self.stress += dt * model.shear_modulus * (model.strain_rate + 2 * elastic)
        self.plastic_strain += dt * strain_rate
        self.switch()
        self.step_count += 1
        if self.step_count % self.configuration.tracers.every == 0:
            self.move()

    def move(self) -> None:
        """Move the tracers by the displacement since their last move."""
        increment = self.plastic_strain - self.strain_at_move
        self.position = self.position + moved(
            self.configuration.tracers.interpolation, increment, self.position
        )
        self.strain_at_move = self.plastic_strain.copy()

    def switch(self) -> None:
        """Switch each site as a two-state process with constant rates does in one step."""
        dt, rate_off = self.configuration.time.step, 1 / self.configuration.model.restructuring_time
        rate_on = self.rate_on()
        total = rate_on + rate_off
        activated = rate_on / total * -np.expm1(-total * dt)
        deactivated = rate_off / total * -np.expm1(-total * dt)
        # An active site may have left and come back: it is active, but not all the time.
        renewed = (1 - deactivated) - np.exp(-rate_off * dt)
        draw = self.draw(randomness.SWITCHING, self.step_count)
        active = self.active != 0
        ends = active & (draw < deactivated)
        begins = ~active & (draw < activated)
        begins |= active & (draw >= deactivated) & (draw < deactivated + renewed)
        self.active = np.where(ends, 0, np.where(begins, self.new_direction(), self.active))
        self.events += int(begins.sum())

    def rate_on(self) -> np.ndarray:
        """Return p_on of Eq. (2) at each site."""
        model = self.configuration.model
        if model.activation == "random":
            odds = model.activity / (1 - model.activity)
            return np.full(self.shape, odds / model.restructuring_time)
        excess = (self.stress**2 - model.yield_stress**2) / (2 * model.temperature)
        if model.barrier != "quadratic":
            distance = model.yield_stress - np.abs(self.stress)
            excess = -np.sign(distance) * np.abs(distance) ** model.barrier / model.temperature
        below = excess < 0
        rate = model.attempt_rate * np.where(below, np.exp(np.where(below, excess, 0)), 1.0)
        return np.where(below, 2 * rate, rate) if model.direction == "both" else rate

    def new_direction(self) -> np.ndarray:
        """Return the threshold that each site crosses if it activates now."""
        model = self.configuration.model
        drawn = np.where(self.draw(randomness.DIRECTION, self.step_count) < 0.5, 1, -1)
        if model.activation == "random":
            return drawn
        undecided = np.abs(self.stress) < 1e-12 * model.yield_stress
        if model.direction != "stress":
            undecided |= np.abs(self.stress) < model.yield_stress
        return np.where(undecided, drawn, np.where(self.stress > 0, 1, -1))


def moved(interpolation: str, strain: np.ndarray, position: np.ndarray):
    """Return the displacements (tracers, 2) half way along the paths of tracers."""
    interpolate = INTERPOLATIONS[interpolation]
    return interpolate(strain, position + np.clip(interpolate(strain, position) / 2, -1, 1))


def uniforms(seed: int, stream: int, step: int, sites: np.ndarray) -> np.ndarray:
    """Return the 53-bit uniforms of sites: 16 bits of a shared block, 37 of their own."""
    key, when = np.uint64(seed), np.uint64(step)
    site = sites.astype(np.uint64)
    group, within = np.divmod(site, np.uint64(256))
    which, lane = np.divmod(within, np.uint64(32))
    shared = randomness.words(key, np.uint64(stream), when, np.uint64(32) * group + lane)
    halves = [half for word in shared for half in (word % 65536, word // 65536)]
    leading = np.choose(which.astype(int), halves)
    own = randomness.words(key, np.uint64(stream + 2**15), when, site)
    trailing = own[0].astype(float) * 2.0**5 + np.floor(own[1] / 2.0**27)
    return (leading.astype(float) * 2.0**37 + trailing) / 2.0**53


def wavevectors(shape):
    """Return qx (Lx, 1) and qy (1, Ly)."""
    qx = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    return qx, 2 * np.pi * np.fft.fftfreq(shape[1])[None, :]


def stress_propagator(shape, symbol, macroscopic, prefactor):
    """Return G(q) = -4 qx^2 qy^2 / q^4, with G(0) = -1 or 0."""
    qx, qy = wavevectors(shape)
    x2, y2 = (2 - 2 * np.cos(qx), 2 - 2 * np.cos(qy)) if symbol == "lattice" else (qx**2, qy**2)
    q4 = (x2 + y2) ** 2
    q4[0, 0] = 1
    kernel = -4 * prefactor * x2 * y2 / q4
    kernel[0, 0] = -1 if macroscopic == "strain" else 0
    return kernel


def displacement(strain):
    """Return (u_x, u_y) at the sites, shape (2, Lx, Ly)."""
    kernel_x, kernel_y = displacement_kernels(strain.shape)
    spectrum = np.fft.fft2(strain)
    return np.stack([np.fft.ifft2(kernel * spectrum).real for kernel in (kernel_x, kernel_y)])


def displacement_kernels(shape):
    """Return u(q) = -2i / q^4 (qy (qy^2 - qx^2), qx (qx^2 - qy^2)), zero on the Nyquist lines."""
    qx, qy = wavevectors(shape)
    q4 = (qx**2 + qy**2) ** 2
    q4[0, 0] = 1
    kept = (np.abs(qx) < np.pi) & (np.abs(qy) < np.pi)
    return (
        np.where(kept, -2j * qy * (qy**2 - qx**2) / q4, 0),
        np.where(kept, -2j * qx * (qx**2 - qy**2) / q4, 0),
    )


def stream_function(strain):
    """Return psi at the sites: u = (d psi / dy, -d psi / dx)."""
    qx, qy = wavevectors(strain.shape)
    q4 = (qx**2 + qy**2) ** 2
    q4[0, 0] = 1
    kept = (np.abs(qx) < np.pi) & (np.abs(qy) < np.pi)
    kernel = np.where(kept, -2 * (qy**2 - qx**2) / q4, 0)
    return np.fft.ifft2(kernel * np.fft.fft2(strain)).real


def bilinear(strain, position):
    """Return the displacement at the positions, bilinear between the sites: shape (n, 2)."""
    u = displacement(strain)
    moved = np.zeros_like(position)
    for n, (x, y) in enumerate(position):
        i, j = int(np.floor(x)), int(np.floor(y))
        for a in (i, i + 1):
            for b in (j, j + 1):
                weight = (1 - abs(x - a)) * (1 - abs(y - b))
                moved[n] += weight * u[:, a % strain.shape[0], b % strain.shape[1]]
    return moved


def nearest(strain, position):
    """Return the displacement of the site nearest to each position: shape (n, 2)."""
    i, j = np.floor(position + 0.5).astype(int).T
    return displacement(strain)[:, i % strain.shape[0], j % strain.shape[1]].T


def stream(strain, position):
    """Return the curl, at the positions, of the cubic B-spline through psi: shape (n, 2)."""
    coefficients = spline_coefficients(stream_function(strain))
    moved = np.zeros_like(position)
    for n, (x, y) in enumerate(position):
        i, j = int(np.floor(x)), int(np.floor(y))
        for a in range(i - 1, i + 3):
            for b in range(j - 1, j + 3):
                c = coefficients[a % strain.shape[0], b % strain.shape[1]]
                moved[n] += c * b_spline(x - a) * b_spline_slope(y - b), 0
                moved[n] -= 0, c * b_spline_slope(x - a) * b_spline(y - b)
    return moved


def spline_coefficients(values):
    """Solve for the coefficients whose spline, (c[i-1] + 4 c[i] + c[i+1]) / 6, has these values."""
    along_x, along_y = (
        (np.roll(np.eye(n), 1, 0) + 4 * np.eye(n) + np.roll(np.eye(n), -1, 0)) / 6
        for n in values.shape
    )
    return np.linalg.solve(along_y, np.linalg.solve(along_x, values).T).T


def b_spline(t):
    """Return the cubic B-spline, of support (-2, 2)."""
    t = abs(t)
    return 2 / 3 - t**2 + t**3 / 2 if t < 1 else max(2 - t, 0) ** 3 / 6


def b_spline_slope(t):
    """Return the derivative of the cubic B-spline."""
    sign, t = np.sign(t), abs(t)
    return sign * (1.5 * t**2 - 2 * t if t < 1 else -(max(2 - t, 0) ** 2) / 2)


INTERPOLATIONS = {"bilinear": bilinear, "nearest": nearest, "stream": stream}
