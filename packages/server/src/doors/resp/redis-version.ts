/** The version of Redis whose protocol and commands this door goes by: clients ask for it. */
export const redisVersion = "7.2.0";
