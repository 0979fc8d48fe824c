// What numbers, prices and times look like. Prices come in dollars; inside they are whole hundredths of a cent.
const text = (() => {
  const grouped = new Intl.NumberFormat("en-US");
  const toCents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const THIN = "\u202f";
  const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
  const two = (n) => String(n).padStart(2, "0");
  const clean = (words) => String(words ?? "").slice(0, 300).replace(CONTROLS, " ").replace(/\s+/g, " ").trim();

  const price = (dollars) => Math.round(dollars * 10000);
  const needed = (p) => (p % 100 === 0 ? 0 : p % 10 === 0 ? 1 : 2);
  const minus = (n) => (n < 0 ? "\u2212" : "");

  function cents(p, decimals = 0) {
    const size = Math.abs(p);
    const shown = Math.max(decimals, needed(size));
    const fraction = shown ? `.${two(size % 100).slice(0, shown)}` : "";
    return `${minus(p)}${Math.floor(size / 100)}${fraction}`;
  }

  function money(p, unit, decimals) {
    if (unit === "probability") return `${cents(p, decimals)}${THIN}%`;
    if (unit !== "dollars") return `${cents(p, decimals)}¢`;
    const size = Math.abs(p);
    return `${minus(p)}$${Math.floor(size / 10000)}.${String(size % 10000).padStart(4, "0")}`;
  }

  // An amount, not a price.
  const dollars = (amount) => `$${toCents.format(amount)}`;

  // The middle of two prices may be half of the smallest price.
  function middle(bid, ask, unit, decimals) {
    if ((bid + ask) % 2 === 0) return money((bid + ask) / 2, unit, decimals);
    if (unit === "dollars") return `$${((bid + ask) / 20000).toFixed(5)}`;
    return `${((bid + ask) / 200).toFixed(3)}${unit === "probability" ? `${THIN}%` : "¢"}`;
  }

  // Sizes come in contracts; inside they are whole hundredths of one.
  const size = (contracts) => Math.round(contracts * 100);
  const isWhole = (hundredths) => hundredths % 100 === 0;
  function count(hundredths, fractional = !isWhole(hundredths)) {
    const all = Math.abs(hundredths);
    return `${minus(hundredths)}${grouped.format(Math.floor(all / 100))}${fractional ? `.${two(all % 100)}` : ""}`;
  }
  const many = (n, thing) => `${count(100 * n)} ${thing}${n === 1 ? "" : "s"}`;
  function compact(hundredths) {
    const n = hundredths / 100;
    if (n < 1000) return count(hundredths);
    const [by, letter] = n < 999950 ? [1e3, "k"] : [1e6, "M"];
    return `${(n / by).toFixed(1).replace(/\.0$/, "")}${letter}`;
  }

  // Which chance: the mid of a book that is two-sided and tight, else the last trade where the book does not deny it.
  // That of NO is what is left of YES's, as that is written: so both add up to 100.
  function probability(bid, ask, last, isNo = false) {
    const whole = (p) => (isNo ? 100 - Math.round((10000 - p) / 100) : Math.round(p / 100));
    const of = (p) => (p < 100 ? `< 1${THIN}%` : p > 9900 ? `> 99${THIN}%` : `${whole(p)}${THIN}%`);
    if (bid !== undefined && ask !== undefined && ask - bid <= 1000) return { text: of((bid + ask) / 2), label: "mid" };
    return last === undefined || last < bid || last > ask ? { text: "–", label: "" } : { text: of(last), label: "last" };
  }

  function time(epoch, zone) {
    const at = new Date(epoch * 1000);
    if (zone === "local") return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} local`;
    return `${at.toISOString().slice(11, 19)} UTC`;
  }
  const date = (epoch) => `${new Date(epoch * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  function age(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    return s < 86400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
  }
  const parts = (s) => [Math.floor(s / 86400), Math.floor((s % 86400) / 3600), Math.floor((s % 3600) / 60)];
  // How long something that is over lasted, in two units at most; the kernel writes it alike.
  function lasted(seconds) {
    if (seconds < 1) return `${Math.round(1000 * Math.max(0, seconds))} ms`;
    if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
    const s = Math.round(seconds);
    const [d, h, m] = parts(s);
    if (d) return `${d} d ${h} h`;
    return h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
  }
  function countdown(seconds) {
    const s = Math.max(0, Math.ceil(seconds));
    const [d, h, m] = parts(s);
    if (d) return `${d} d ${h} h`;
    return h ? `${h} h ${m} min` : `${two(m)}:${two(s % 60)}`;
  }

  return { two, clean, price, needed, cents, money, dollars, middle, size, isWhole, count, many, compact, probability, time, date, age, lasted, countdown };
})();
