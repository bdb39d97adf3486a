/** The words of the law; the rest is in English. */
import english from "./en.js";

export default {
  ...english,
  texts: "en",
  withdraw: "Retrageți-vă din contract aici",
  confirm: "Confirmați retragerea",
};
