export { KeyvCoterie } from "./keyv-coterie.ts";
