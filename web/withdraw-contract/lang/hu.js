/** The words of the law; the rest is in English. */
import english from "./en.js";

export default {
  ...english,
  texts: "en",
  withdraw: "Elállás a szerződéstől",
  confirm: "Elállás megerősítése",
};
