/** The words of the law; the rest is in English. */
import english from "./en.js";

export default {
  ...english,
  texts: "en",
  withdraw: "Откажете се от договора тук",
  confirm: "Потвърждавам отказа",
};
