/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* verbs.h - the one table of what may be asked of the gateway, as data.
 *
 * A verb is a noun, a verb and the words that follow, each with a name, a type and a sentence
 * of help.  From the table follow what the control socket takes, `tandemctl help`, the manual
 * page, the completion, and what any other front asks a person for.  A front
 *
 *	for each verb of verb_at() that verb_may() allows,
 *	for each word (word_type.h checks one by its type), for each key of a word of keys,
 *	asks, and gives the words to answer_new() with the Actor who asks (answer.h).
 *
 * Nothing here runs anything: tandemctl links the table to print help.  The rows stand in
 * verb_table.h, the functions that run them are declared in handlers.h.
 * Thread: any; immutable.
 */
#pragma once
#include <glib.h>
#include "b2bua/leg.h"

/* What may be written; word_type.c checks each. */
typedef enum {
	WORD_TEXT,
	WORD_SECRET, /* a text that is never shown */
	WORD_CHOICE, /* one of `values`, which has them by "|" */
	WORD_YES,
	WORD_WHOLE, /* a number within `values`: "1…30", "0|90…86400" */
	WORD_FLAG,  /* "--hangup": there or not, without a value */
	WORD_KEYS,  /* KEY=VALUE…, of `keys`; the last of the words without "--" */
	WORD_NOUN,
	WORD_VERB,
	WORD_USER,	/* bare JID */
	WORD_NUMBER,	/* E.164 */
	WORD_SOFTPHONE, /* name; left out: the part of the user's JID before the @ */
	WORD_TRUNK,	/* name */
	WORD_TRUNKS,	/* names by "," */
	WORD_TARGET,	/* what a route is for */
	WORD_CALL,	/* id */
	WORD_WHOSE,	/* the same, or a bare JID */
	WORD_SOURCE,	/* an address of `sources`, or "all" */
	WORD_DIALLED,	/* a number or an address, as a user dials it */
	WORD_PATH,
	WORD_HOST,
	WORD_PROXY, /* host or host:port */
	WORD_NETWORKS,
	WORD_CODECS,
	WORD_PEM,
	WORD_COUNTRY,
	WORD_COUNTRIES, /* "any", or two letters each */
	WORD_HOURS,	/* "7-22" */
	WORD_MONEY,	/* "0.12" */
	WORD_DIGITS,
	WORD_DESTINATION, /* a number to send calls to */
	WORD_CALLERS,	  /* numbers, beginnings of numbers, "anonymous" */
	WORD_LOCATION,
	WORD_SECTION, /* of tandem.conf */
	N_WORD_TYPES
} WordType;

typedef enum {
	WORD_OPTIONAL = 1 << 0,
	WORD_MANY = 1 << 1,	  /* may be repeated */
	WORD_UNSETTABLE = 1 << 2, /* of a key: KEY= takes the value away, or is the default */
	WORD_SELF = 1 << 3,	  /* of a key: a user may set it for the own account */
	WORD_OPERATOR = 1 << 4,	  /* of a verb: a user does not have the word */
} WordFlags;

typedef enum {
	KEYS_NONE,
	KEYS_USER,
	KEYS_NUMBER,
	KEYS_SOFTPHONE,
	KEYS_TRUNK,
	KEYS_ROUTE,
	KEYS_GUARD
} KeySet;

/* A word of a verb ("NAME", "--hangup") or a key ("ring"). */
typedef struct {
	const char *name;
	WordType type;
	guint flags;
	const char *values;   /* as usage shows them; of a verb's word NULL: the name says it */
	const char *fallback; /* of a key, as text; NULL: none, or the help says */
	const char *help;     /* one sentence without a full stop */
	KeySet keys;	      /* of WORD_KEYS */
} Word;

/* The keys of a set, up to one whose name is NULL. */
const Word *keys_of(KeySet set);
const Word *key_find(KeySet set, const char *name); /* "_" is as good as "-"; NULL: none */

typedef enum { VERB_OPERATOR = 1 << 0, VERB_SELF = 1 << 1 } VerbWho;

typedef enum {
	VERB_LIVE = 1 << 0,    /* needs the running gateway, not the store alone */
	VERB_AUDITED = 1 << 1, /* provisioning: who changed what is logged */
	VERB_CLIENT = 1 << 2,  /* tandemctl does it, or a part of it, by itself */
	VERB_RAW = 1 << 3,     /* and sends other words, which the function reads */
} VerbFlags;

#define CHANGES_NOTHING (-1)
#define CHANGES_BY_KEY	(-2) /* the handler says it */

typedef struct {
	const char *noun, *verb; /* verb NULL: a command of one word */
	const Word *words;	 /* up to one whose name is NULL */
	guint who;		 /* VerbWho: may a user do it to the own account? */
	guint flags;		 /* VerbFlags */
	int changes;		 /* a Change that the plugins are told, or one of the above */
	const char *help;	 /* one sentence without a full stop */
} Verb;

/* What a word names when it stands as a verb's subject: "user", "trunk" … */
typedef struct {
	const char *name;
	WordType id;	  /* the type of the word that says which one */
	const char *list; /* the verb that lists them, "user list"; NULL: none */
	const char *help; /* as a heading */
} Noun;

const Verb *verb_at(guint i); /* NULL: there are no more */
/* The verb that these words begin with, and how many of them are its name; NULL with an
 * error that names the nearest. */
const Verb *verb_find(char **words, guint n_words, guint *n_named, GError **error);
gboolean verb_is_noun(const char *word);
const Noun *noun_at(guint i); /* NULL: there are no more */
const Noun *noun_of(const Verb *verb);
guint verb_n_words(const Verb *verb);
/* The place of a word of this name; it must be one. */
guint verb_word(const Verb *verb, const char *name);
gboolean word_is_option(const Word *word); /* "--…" */
/* It says whose account is meant: the own one where a user asks. */
gboolean word_is_account(const Word *word);
gboolean word_is_for(const Word *word, guint who); /* whether `who` writes it */
gboolean key_is_for(const Word *key, guint who);   /* whether `who` may set it */
/* As `who` writes it: a user leaves out the own JID. */
char *verb_usage(const Verb *verb, guint who); /* "trunk set NAME KEY=VALUE… [--hangup]" */
char *verb_name(const Verb *verb);	       /* "trunk set" */
guint verb_id(const Verb *verb);	       /* its place in the table */

/* Codes: something is wrong, or not all has been said yet. */
#define VERB_ERROR (g_quark_from_static_string("tandem-verb"))
enum { VERB_WRONG, VERB_MISSING };
