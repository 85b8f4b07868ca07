/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "inbound-fixture.h"
#include "muster-sip-inbox.h"
#include "muster-sip-text.h"

/* Calls and messages of one account, over UDP, from the request to what the account hears of it. */

typedef struct {
  Wire wire;
  MusterSipInbox *inbox;
  GPtrArray *offers; /* of MusterOffer *: those that nobody has looked at */
  gboolean answers;  /* busy to each call, from within */
  guint n_notified;
} World;

static void
on_offer (const MusterOffer *offer, gpointer user_data)
{
  World *world = user_data;
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (world->offers, muster_offer_copy (offer));
  if (world->answers && offer->state == MUSTER_OFFER_WAITING) {
    muster_sip_inbox_answer (world->inbox, offer->id, MUSTER_ANSWER_BUSY, NULL, &error);
    g_assert_no_error (error);
  }
}

static void
world_set_up (World *world, gconstpointer data)
{
  world->offers = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_offer_free);
  world->inbox = muster_sip_inbox_new (on_offer, world);
  wire_set_up (&world->wire, FALSE, muster_sip_inbox_get_receiver (world->inbox));
}

static void
world_tear_down (World *world, gconstpointer data)
{
  muster_sip_inbox_free (world->inbox);
  wire_tear_down (&world->wire);
  g_ptr_array_unref (world->offers);
}

/* (transfer full): the next that was told */
static MusterOffer *
assert_offer (World *world, MusterOfferKind kind, MusterOfferState state)
{
  MusterOffer *offer;

  g_assert_cmpuint (world->offers->len, >, 0);
  offer = g_ptr_array_steal_index (world->offers, 0);
  g_assert_cmpint (offer->kind, ==, kind);
  g_assert_cmpint (offer->state, ==, state);
  return offer;
}

/* (transfer full): the call that waits now */
static MusterOffer *
ring (World *world)
{
  take (&world->wire, "INVITE", .from_name = (char *) "Bob", .subject = (char *) "the roof");
  assert_reply (&world->wire, "180", "INVITE");
  return assert_offer (world, MUSTER_OFFER_CALL, MUSTER_OFFER_WAITING);
}

static void
assert_ended (World *world, const MusterOffer *waiting, MusterOfferState state)
{
  g_autoptr (MusterOffer) offer = assert_offer (world, MUSTER_OFFER_CALL, state);

  g_assert_cmpstr (offer->id, ==, waiting->id);
  g_assert_cmpuint (world->offers->len, ==, 0);
}

static void
test_answers (World *world, gconstpointer data)
{
  static const struct {
    MusterAnswer answer;
    const char *target;
    const char *status;
    const char *header;
  } cases[] = {
    { MUSTER_ANSWER_DECLINE, NULL, "603", NULL },
    { MUSTER_ANSWER_BUSY, NULL, "486", NULL },
    { MUSTER_ANSWER_ACCEPT, "sip:dialer@192.0.2.7:5062;transport=tcp", "302",
      "\r\nContact: <sip:dialer@192.0.2.7:5062;transport=tcp>\r\n" },
    { MUSTER_ANSWER_REDIRECT, "SIPS:carol@example.test", "302",
      "\r\nContact: <SIPS:carol@example.test>\r\n" },
    { MUSTER_ANSWER_REDIRECT, "tel:+15550100", "302", "\r\nContact: <tel:+15550100>\r\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *branch = g_strdup_printf ("z9hG4bK%u", i);
    g_autoptr (MusterOffer) offer = NULL;
    g_autoptr (GError) error = NULL;

    take (&world->wire, "INVITE", .branch = branch, .cseq = i + 1, .from_name = (char *) "Bob",
          .subject = (char *) "the roof");
    assert_reply (&world->wire, "180", "INVITE");
    offer = assert_offer (world, MUSTER_OFFER_CALL, MUSTER_OFFER_WAITING);
    g_assert_cmpstr (offer->from, ==, "sip:bob@example.test");
    g_assert_cmpstr (offer->from_name, ==, "Bob");
    g_assert_cmpstr (offer->text, ==, "the roof");
    g_assert_true (g_str_has_suffix (offer->id, "-call"));
    g_assert_cmpint (offer->at_us, ==, muster_clock_wall_us ());

    g_assert_true (
      muster_sip_inbox_answer (world->inbox, offer->id, cases[i].answer, cases[i].target, &error));
    g_assert_no_error (error);
    assert_reply_with (&world->wire, cases[i].status, "INVITE", cases[i].header);
    assert_ended (world, offer, MUSTER_OFFER_TAKEN);

    g_assert_false (
      muster_sip_inbox_answer (world->inbox, offer->id, MUSTER_ANSWER_BUSY, NULL, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_EXPIRED);
    take (&world->wire, "ACK", .branch = branch, .cseq = i + 1);
    assert_silence (&world->wire);
  }
}

/* What would be a header of its own, or go nowhere, is refused, and the call goes on. */
static void
test_bad_targets (World *world, gconstpointer data)
{
  static const char *const targets[] = {
    NULL,
    "",
    "sip:",
    "bob",
    "http://example.test/",
    "sip:a b@example.test",
    "sip:bob@example.test>;q=1, <sip:eve@example.test",
    "sip:bob@example.test\r\nX-Evil: 1",
    "sip:b\xc3\xb6"
    "b@example.test",
    "\"Bob\" <sip:bob@example.test>",
  };
  g_autoptr (MusterOffer) offer = ring (world);
  g_autofree char *longest = g_strdup_printf ("sip:%0600d@example.test", 1);

  for (gsize i = 0; i <= G_N_ELEMENTS (targets); i++) {
    const char *target = i < G_N_ELEMENTS (targets) ? targets[i] : longest;
    g_autoptr (GError) error = NULL;

    g_assert_false (
      muster_sip_inbox_answer (world->inbox, offer->id,
                               i % 2 == 0 ? MUSTER_ANSWER_ACCEPT : MUSTER_ANSWER_REDIRECT, target,
                               &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  }
  assert_silence (&world->wire);
  g_assert_cmpuint (world->offers->len, ==, 0);
  g_assert_true (
    muster_sip_inbox_answer (world->inbox, offer->id, MUSTER_ANSWER_DECLINE, NULL, NULL));
}

static void
test_undecided (World *world, gconstpointer data)
{
  g_autoptr (MusterOffer) offer = ring (world);

  pass_ms (59000);
  assert_silence (&world->wire);
  g_assert_cmpuint (world->offers->len, ==, 0);
  pass_ms (1100);
  assert_reply (&world->wire, "480", "INVITE");
  assert_ended (world, offer, MUSTER_OFFER_STALE);
}

static void
test_cancelled (World *world, gconstpointer data)
{
  g_autoptr (MusterOffer) offer = ring (world);

  take (&world->wire, "INVITE"); /* once more: no second offer */
  assert_reply (&world->wire, "180", "INVITE");
  g_assert_cmpuint (world->offers->len, ==, 0);
  take (&world->wire, "CANCEL");
  assert_reply (&world->wire, "200", "CANCEL");
  assert_reply (&world->wire, "487", "INVITE");
  assert_ended (world, offer, MUSTER_OFFER_CANCELLED);
  take (&world->wire, "ACK");
  pass_ms (61000);
  assert_silence (&world->wire);
  g_assert_cmpuint (world->offers->len, ==, 0);
}

static void
test_elsewhere (World *world, gconstpointer data)
{
  g_autoptr (MusterOffer) offer = ring (world);

  take (&world->wire, "CANCEL", .sip_cause = 200);
  assert_ended (world, offer, MUSTER_OFFER_ELSEWHERE);
}

/* The same Call-ID again, as a proxy may send it that tries one after the other. */
static void
test_called_again (World *world, gconstpointer data)
{
  g_autoptr (MusterOffer) first = ring (world);
  g_autoptr (MusterOffer) second = NULL;

  take (&world->wire, "CANCEL");
  assert_ended (world, first, MUSTER_OFFER_CANCELLED);
  take (&world->wire, "INVITE", .branch = (char *) "z9hG4bKagain", .cseq = 2);
  second = assert_offer (world, MUSTER_OFFER_CALL, MUSTER_OFFER_WAITING);
  g_assert_cmpstr (first->id, !=, second->id);
}

static void
test_closed (World *world, gconstpointer data)
{
  g_autoptr (MusterOffer) offer = ring (world);

  muster_sip_inbox_close (world->inbox);
  assert_reply (&world->wire, "480", "INVITE");
  assert_ended (world, offer, MUSTER_OFFER_STALE);
}

/* The connection is gone. */
static void
test_lost (World *world, gconstpointer data)
{
  g_autoptr (MusterOffer) offer = ring (world);

  muster_sip_server_lose_all (world->wire.server);
  assert_silence (&world->wire);
  assert_ended (world, offer, MUSTER_OFFER_STALE);
}

/* Nobody takes nine calls at once; who has one answered at once is told so all the same. */
static void
test_many_calls (World *world, gconstpointer data)
{
  for (guint i = 0; i < 9; i++) {
    g_autofree char *branch = g_strdup_printf ("z9hG4bK%u", i);

    take (&world->wire, "INVITE", .branch = branch, .cseq = i + 1);
    assert_reply (&world->wire, i < 8 ? "180" : "486", "INVITE");
  }
  g_assert_cmpuint (world->offers->len, ==, 8);
  muster_sip_inbox_close (world->inbox);
  g_assert_cmpuint (world->offers->len, ==, 16);
}

static void
test_answered_from_within (World *world, gconstpointer data)
{
  g_autoptr (MusterOffer) offer = NULL;

  world->answers = TRUE;
  offer = ring (world);
  assert_reply (&world->wire, "486", "INVITE");
  assert_ended (world, offer, MUSTER_OFFER_TAKEN);
}

/* messages */

static void
test_message (World *world, gconstpointer data)
{
  static const char said[] = "Hello,\r\nworld\x1b[2J\n";
  g_autoptr (GBytes) body = g_bytes_new_static (said, strlen (said));
  g_autoptr (MusterOffer) offer = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++) {
    take (&world->wire, "MESSAGE", .body = body, .content_type = (char *) "text/plain",
          .from_name = (char *) "Bob\x07");
    assert_reply (&world->wire, "200", "MESSAGE");
  }
  offer = assert_offer (world, MUSTER_OFFER_MESSAGE, MUSTER_OFFER_WAITING);
  g_assert_cmpuint (world->offers->len, ==, 0);
  g_assert_cmpstr (offer->text, ==, "Hello,\nworld [2J\n");
  g_assert_cmpstr (offer->from, ==, "sip:bob@example.test");
  g_assert_cmpstr (offer->from_name, ==, "Bob ");

  /* It was read, or was not; but it can go nowhere else. */
  g_assert_true (
    muster_sip_inbox_answer (world->inbox, offer->id, MUSTER_ANSWER_ACCEPT, NULL, &error));
  g_assert_true (
    muster_sip_inbox_answer (world->inbox, offer->id, MUSTER_ANSWER_DECLINE, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (muster_sip_inbox_answer (world->inbox, offer->id, MUSTER_ANSWER_REDIRECT,
                                           "sip:carol@example.test", &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
}

/* The account's registration is made anew, and its sender goes on in the same Call-ID. */
static void
test_message_to_the_next_inbox (World *world, gconstpointer data)
{
  g_autoptr (GBytes) body = g_bytes_new_static ("hi", 2);
  g_autoptr (MusterOffer) before = NULL;
  g_autoptr (MusterOffer) offer = NULL;

  take (&world->wire, "MESSAGE", .body = body);
  before = assert_offer (world, MUSTER_OFFER_MESSAGE, MUSTER_OFFER_WAITING);
  muster_sip_inbox_free (world->inbox);
  world->inbox = muster_sip_inbox_new (on_offer, world);
  world->wire.receiver = muster_sip_inbox_get_receiver (world->inbox);

  take (&world->wire, "MESSAGE", .body = body, .branch = (char *) "z9hG4bK2", .cseq = 2);
  offer = assert_offer (world, MUSTER_OFFER_MESSAGE, MUSTER_OFFER_WAITING);
  g_assert_cmpstr (offer->id, !=, before->id);
}

static void
test_message_refused (World *world, gconstpointer data)
{
  take (&world->wire, "MESSAGE", .content_type = (char *) "application/im-iscomposing+xml");
  assert_reply_with (&world->wire, "415", "MESSAGE", "\r\nAccept: text/plain\r\n");
  take (&world->wire, "MESSAGE", .branch = (char *) "z9hG4bK2", .cseq = 2);
  assert_reply (&world->wire, "400", "MESSAGE");
  g_assert_cmpuint (world->offers->len, ==, 0);
}

static void
test_texts (World *world, gconstpointer data)
{
  static const struct {
    const char *type;
    const char *charset;
    const char *encoding;
    const char *bytes;
    gsize n_bytes; /* 0: strlen */
    guint status;
    const char *text;
  } cases[] = {
    { "text/plain", NULL, NULL, "caf\xc3\xa9", 0, 200, "caf\xc3\xa9" },
    { NULL, NULL, NULL, "hi", 0, 200, "hi" },
    { "text/plain", "UTF-8", "identity", "hi", 0, 200, "hi" },
    { "text/plain", "us-ascii", NULL, "hi", 0, 200, "hi" },
    { "text/plain", NULL, NULL,
      "a\xff"
      "b",
      0, 200,
      "a\xef\xbf\xbd"
      "b" },
    { "text/plain", NULL, NULL, "a\0b", 3, 200,
      "a\xef\xbf\xbd"
      "b" },
    { "text/plain", "ISO-8859-1", NULL, "caf\xe9", 0, 200, "caf\xc3\xa9" },
    { "text/plain", "Windows-1251", NULL, "\xc4\xe0", 0, 200, "\xd0\x94\xd0\xb0" },
    { "text/plain", "utf-16be", NULL, "\0h\0i", 4, 200, "hi" },
    { "text/plain", "utf-16be", NULL, "\xd8\0\0h", 4, 415, NULL },
    { "text/plain", "gb2312", NULL, "\xc4\xe3", 0, 200, "\xe4\xbd\xa0" },
    { "text/plain", "GB2312", NULL, "\xe9\x46", 0, 200, "\xe9\x95\x95" }, /* of GBK only */
    { "text/plain", "gb18030", NULL, "\x95\x34\xb2\x35", 0, 200, "\xf0\xa0\xae\xb7" },
    { "text/plain", "gb18030", NULL, "\x95\x34\xb2", 0, 415, NULL },
    { "application/manscdp+xml", NULL, NULL, "<Query/>", 0, 415, NULL },
    { "text/plain", "iso-2022-kr", NULL, "hi", 0, 415, NULL },
    { "text/plain", "../../../tmp/evil", NULL, "hi", 0, 415, NULL },
    { "text/plain", NULL, "gzip", "hi", 0, 415, NULL },
    { "text/html", NULL, NULL, "hi", 0, 415, NULL },
    { "message/cpim", NULL, NULL, "hi", 0, 415, NULL },
    { "text/plain", NULL, NULL, "a\r\nb\rc\nd\te", 0, 200, "a\nb\nc\nd e" },
    { "text/plain", NULL, NULL, "\r\n \t", 0, 400, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    gsize n_bytes = cases[i].n_bytes != 0 ? cases[i].n_bytes : strlen (cases[i].bytes);
    g_autoptr (GBytes) body = g_bytes_new (cases[i].bytes, n_bytes);
    MusterSipInbound inbound = {
      .content_type = (char *) cases[i].type,
      .charset = (char *) cases[i].charset,
      .content_encoding = (char *) cases[i].encoding,
      .body = body,
    };
    guint status = 0;
    g_autofree char *text = muster_sip_text_decode (&inbound, FALSE, &status);

    g_assert_cmpuint (status, ==, cases[i].status);
    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

#define NI_HAO      "\xe4\xbd\xa0\xe5\xa5\xbd"
#define NI_HAO_GB   "\xc4\xe3\xba\xc3"
#define DECLARED(e) "<?xml version=\"1.0\" encoding=" e " standalone='yes' ?>\r\n"
#define DECLARATION "<?xml version=\"1.0\" standalone='yes' ?>\n"

/* What platforms by GB/T 28181 say, in the encoding that they mean; handed on it is UTF-8, and says nothing else. */
static void
test_documents (World *world, gconstpointer data)
{
  static const struct {
    const char *charset;
    const char *bytes;
    guint status;
    const char *text;
  } cases[] = {
    { NULL, DECLARED ("\"GB2312\"") NI_HAO_GB, 200, DECLARATION NI_HAO },
    { NULL, DECLARED ("'gb18030'") "\x95\x34\xb2\x35", 200, DECLARATION "\xf0\xa0\xae\xb7" },
    { NULL, DECLARED ("\"GB2312\"") "\xe9\x46", 200, DECLARATION "\xe9\x95\x95" },
    { NULL, DECLARED ("\"UTF-8\"") NI_HAO, 200, DECLARATION NI_HAO },
    { NULL, "\xef\xbb\xbf" DECLARED ("\"UTF-8\"") NI_HAO, 200, DECLARATION NI_HAO },
    { NULL, "<?xml version=\"1.0\"?>" NI_HAO, 200, "<?xml version=\"1.0\"?>" NI_HAO },
    { NULL, "<a>" NI_HAO "</a>", 200, "<a>" NI_HAO "</a>" },
    { NULL, "<a>" NI_HAO_GB "</a>", 200, "<a>" NI_HAO "</a>" },
    { "GB18030", DECLARED ("\"UTF-8\"") NI_HAO_GB, 200, DECLARATION NI_HAO },
    { "utf-8", DECLARED ("\"GB2312\"") NI_HAO, 200, DECLARATION NI_HAO },
    /* the declaration ends before that */
    { NULL, "<?xml version=\"1.0\"?><a encoding=\"big5\">" NI_HAO_GB, 200,
      "<?xml version=\"1.0\"?><a encoding=\"big5\">" NI_HAO },
    { NULL, "<?xml encoding=\"GB2312'?>" NI_HAO_GB, 200, "<?xml encoding=\"GB2312'?>" NI_HAO },
    { NULL, DECLARED ("\"GB2312\"") "\xc4", 415, NULL },
    { NULL, "<a>\xff</a>", 415, NULL },
    { NULL, DECLARED ("\"UTF-7\"") "<a/>", 415, NULL },
    { NULL, DECLARED ("\"../../../tmp/evil\"") "<a/>", 200,
      DECLARED ("\"../../../tmp/evil\"") "<a/>" },
    { "../evil", DECLARED ("\"GB2312\"") "<a/>", 415, NULL },
    { NULL, " \r\n", 400, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GBytes) body = g_bytes_new (cases[i].bytes, strlen (cases[i].bytes));
    MusterSipInbound inbound = {
      .content_type = (char *) "application/manscdp+xml",
      .charset = (char *) cases[i].charset,
      .body = body,
    };
    guint status = 0;
    g_autofree char *text = muster_sip_text_decode (&inbound, TRUE, &status);
    g_auto (GStrv) lines = g_strsplit (cases[i].text != NULL ? cases[i].text : "", "\r", -1);
    g_autofree char *expected = g_strjoinv ("", lines);

    g_assert_cmpuint (status, ==, cases[i].status);
    g_assert_cmpstr (text, ==, cases[i].text != NULL ? expected : NULL);
  }
}

/* Only from a platform. */
static void
test_document (World *world, gconstpointer data)
{
  static const char said[] = "<?xml version=\"1.0\" encoding=\"GB2312\"?><Query>" NI_HAO_GB
                             "</Query>";
  g_autoptr (GBytes) body = g_bytes_new_static (said, strlen (said));
  g_autoptr (MusterOffer) offer = NULL;

  take (&world->wire, "MESSAGE", .body = body, .content_type = (char *) "application/manscdp+xml");
  assert_reply_with (&world->wire, "415", "MESSAGE", "\r\nAccept: text/plain\r\n");
  muster_sip_inbox_set_takes_documents (world->inbox, TRUE);
  take (&world->wire, "MESSAGE", .branch = (char *) "z9hG4bK2", .cseq = 2, .body = body,
        .content_type = (char *) "application/manscdp+xml");
  assert_reply (&world->wire, "200", "MESSAGE");
  offer = assert_offer (world, MUSTER_OFFER_MESSAGE, MUSTER_OFFER_WAITING);
  g_assert_cmpstr (offer->text, ==, "<?xml version=\"1.0\"?><Query>" NI_HAO "</Query>");
  take (&world->wire, "MESSAGE", .branch = (char *) "z9hG4bK3", .cseq = 3, .body = body,
        .content_type = (char *) "application/xml");
  assert_reply_with (&world->wire, "415", "MESSAGE",
                     "\r\nAccept: text/plain, application/manscdp+xml\r\n");
}

/* What is too long is not even looked at; nor may it become too long. */
static void
test_long_texts (World *world, gconstpointer data)
{
  const struct {
    char fill;
    const char *charset;
    gsize n_bytes;
    guint status;
  } cases[] = {
    { 'x', NULL, MUSTER_SIP_MAX_TEXT_BYTES, 200 },
    { 'x', NULL, MUSTER_SIP_MAX_TEXT_BYTES + 1, 413 },
    { '\xc4', "gb2312", MUSTER_SIP_MAX_TEXT_BYTES / 3 * 2, 200 },
    { '\xc4', "gb2312", MUSTER_SIP_MAX_TEXT_BYTES / 3 * 2 + 2, 413 },
    { '\xe9', "iso-8859-1", MUSTER_SIP_MAX_TEXT_BYTES / 2, 200 },
    { '\xe9', "iso-8859-1", MUSTER_SIP_MAX_TEXT_BYTES / 2 + 1, 413 },
    { '\x20', "utf-16le", MUSTER_SIP_MAX_TEXT_BYTES + 2, 413 },
    { '\x01', "utf-16le", MUSTER_SIP_MAX_TEXT_BYTES, 200 },
    { '\x01', "utf-16le", MUSTER_SIP_MAX_TEXT_BYTES + 2, 413 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *filled = g_strnfill (cases[i].n_bytes, cases[i].fill);
    g_autoptr (GBytes) body = g_bytes_new (filled, cases[i].n_bytes);
    MusterSipInbound inbound = { .charset = (char *) cases[i].charset, .body = body };
    guint status = 0;
    g_autofree char *text = muster_sip_text_decode (&inbound, FALSE, &status);

    g_assert_cmpuint (status, ==, cases[i].status);
  }
}

/* for others */

static gboolean
on_notify (gpointer user_data,
           const MusterSipInbound *inbound,
           MusterSipServerTransaction *transaction)
{
  World *world = user_data;

  if (g_strcmp0 (inbound->event, "presence") != 0)
    return FALSE;
  world->n_notified++;
  muster_sip_server_transaction_reply (transaction, 200, NULL);
  return TRUE;
}

static void
test_notify (World *world, gconstpointer data)
{
  take (&world->wire, "NOTIFY", .event = (char *) "message-summary");
  assert_reply (&world->wire, "481", "NOTIFY");

  muster_sip_inbox_set_notify_func (world->inbox, on_notify, world);
  take (&world->wire, "NOTIFY", .event = (char *) "presence", .cseq = 2,
        .branch = (char *) "z9hG4bK2");
  assert_reply (&world->wire, "200", "NOTIFY");
  take (&world->wire, "NOTIFY", .event = (char *) "dialog", .cseq = 3,
        .branch = (char *) "z9hG4bK3");
  assert_reply (&world->wire, "481", "NOTIFY");
  g_assert_cmpuint (world->n_notified, ==, 1);
}

static void
on_options (gpointer user_data, const MusterSipInbound *inbound)
{
  World *world = user_data;

  g_assert_cmpstr (inbound->call_id, ==, "proof");
  assert_silence (&world->wire);
  world->n_notified++;
}

static void
test_options (World *world, gconstpointer data)
{
  take (&world->wire, "OPTIONS");
  assert_reply (&world->wire, "200", "OPTIONS");
  muster_sip_inbox_set_options_func (world->inbox, on_options, world);
  take (&world->wire, "OPTIONS", .call_id = (char *) "proof");
  assert_reply (&world->wire, "200", "OPTIONS");
  g_assert_cmpuint (world->n_notified, ==, 1);
  g_assert_true (muster_clock_is_idle ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test)                                                                            \
  g_test_add ("/sip/inbox/" path, World, NULL, world_set_up, test, world_tear_down)
  ADD ("answers", test_answers);
  ADD ("bad-targets", test_bad_targets);
  ADD ("undecided", test_undecided);
  ADD ("cancelled", test_cancelled);
  ADD ("elsewhere", test_elsewhere);
  ADD ("called-again", test_called_again);
  ADD ("closed", test_closed);
  ADD ("lost", test_lost);
  ADD ("many-calls", test_many_calls);
  ADD ("answered-from-within", test_answered_from_within);
  ADD ("message", test_message);
  ADD ("message-to-the-next-inbox", test_message_to_the_next_inbox);
  ADD ("message-refused", test_message_refused);
  ADD ("texts", test_texts);
  ADD ("documents", test_documents);
  ADD ("document", test_document);
  ADD ("long-texts", test_long_texts);
  ADD ("notify", test_notify);
  ADD ("options", test_options);
#undef ADD

  return g_test_run ();
}
