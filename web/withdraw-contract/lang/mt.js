/** The words of the law; the rest is in English. */
import english from "./en.js";

export default {
  ...english,
  texts: "en",
  withdraw: "Irtira mill-kuntratt hawnhekk",
  confirm: "Ikkonferma r-reċess",
};
