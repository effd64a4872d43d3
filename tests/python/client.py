"""Drives a running sas-router from end to end, as another system would.

    client.py ADDRESS

Prints one line per check and ends with 1 at the first that fails. The server should be fresh: identifiers are fixed.
"""

import datetime
import sys

import grpc
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from checks import CALL_DEADLINE_SECONDS, Refusal, call, expect, failed
from stubs import PACKAGE, Stubs

# Made up, with sound check digits; the place is the town hall square of Vénissieux.
TERRITORY_ID = "690043211"
PRACTITIONER_IDS = {"schedule-a": "10003456786", "schedule-b": "10003456992"}
PRACTITIONER_WIRE_ID = "810003456786"
PLACE_ID = "place-python"
SOURCE_ID = "source-python"
SITE_ID = "site-python"
SERVICES = ["DirectoryService", "PublishingService", "RoutingService", "BookingService", "OperationsService"]


class Client:
    """The checks, in the order in which they build on each other."""

    def __init__(self, address):
        self.pb = Stubs()
        self.channel = grpc.insecure_channel(address)
        try:
            grpc.channel_ready_future(self.channel).result(timeout=CALL_DEADLINE_SECONDS)
        except grpc.FutureTimeoutError:
            failed(f"nobody answers at {address}")
        self.directory = self.pb.DirectoryServiceStub(self.channel)
        self.publishing = self.pb.PublishingServiceStub(self.channel)
        self.routing = self.pb.RoutingServiceStub(self.channel)
        self.booking = self.pb.BookingServiceStub(self.channel)
        self.operations = self.pb.OperationsServiceStub(self.channel)
        self.town_square = self.pb.GeoPoint(latitude=45.6975, longitude=4.8867)
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

    def run(self):
        """Everything; returns only when every check holds."""
        self.reflection_describes_the_interface()
        self.health_is_serving()
        self.directory_is_filled()
        self.slots_are_published()
        self.care_is_found()
        hold = self.slot_is_held_once()
        self.request_id_is_judged()
        self.loser_gets_alternatives()
        booking = self.hold_becomes_a_booking(hold)
        self.cancelled_booking_frees_the_slot(booking)
        self.unknown_code_is_named()
        self.emergency_needs_no_slot()
        self.status_counts()

    def reflection_describes_the_interface(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        listed = set(database.get_services())
        wanted = {f"{PACKAGE}.{name}" for name in SERVICES} | {"grpc.health.v1.Health"}
        expect(wanted <= listed, "reflection lists every service and health", listed)
        pool = descriptor_pool.DescriptorPool(database)
        for name in SERVICES:
            reflected = pool.FindServiceByName(f"{PACKAGE}.{name}")
            generated = descriptor_pool.Default().FindServiceByName(f"{PACKAGE}.{name}")
            methods = [(m.name, m.input_type.full_name, m.output_type.full_name) for m in reflected.methods]
            expected = [(m.name, m.input_type.full_name, m.output_type.full_name) for m in generated.methods]
            expect(methods == expected, f"reflection describes {name} as its definition does", methods)

    def health_is_serving(self):
        # The health messages are generated from nothing here: one byte string each is simpler than a package more.
        check = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        for service in ["", *(f"{PACKAGE}.{name}" for name in SERVICES)]:
            encoded = bytes([0x0A, len(service)]) + service.encode() if service else b""
            answer = check(encoded, timeout=CALL_DEADLINE_SECONDS)
            expect(answer == b"\x08\x01", f"health of {service or 'the server'} is SERVING", answer)

    def directory_is_filled(self):
        pb, directory = self.pb, self.directory
        territory = pb.Territory(territory_id=TERRITORY_ID, name="CPTS de Vénissieux", commune_codes=["69259"])
        kept = call(
            directory.UpsertTerritory, pb.UpsertTerritoryRequest(request_id="py-territory", territory=territory)
        ).territory
        expect(kept.territory_id == f"1{TERRITORY_ID}", "territory is kept, its FINESS comes back prefixed", kept)

        place = pb.Place(
            place_id=PLACE_ID,
            name="Maison de santé de la place",
            address="1 place de la Mairie",
            postal_code="69200",
            city="Vénissieux",
            commune_code="69259",
            position=self.town_square,
        )
        kept = call(directory.UpsertPlace, pb.UpsertPlaceRequest(request_id="py-place", place=place)).place
        derived = (kept.department, kept.time_zone)
        expect(derived == ("69", "Europe/Paris"), "place is kept, department and time zone are derived", kept)

        for schedule_id, practitioner_id in PRACTITIONER_IDS.items():
            practitioner = pb.Practitioner(
                practitioner_id=practitioner_id, family_name="Exemple", given_name="Camille", specialties=["SM54"]
            )
            request = pb.UpsertPractitionerRequest(request_id=f"py-{practitioner_id}", practitioner=practitioner)
            kept = call(directory.UpsertPractitioner, request).practitioner
            prefixed = kept.practitioner_id == f"8{practitioner_id}"
            expect(prefixed, "practitioner is kept, the RPPS comes back prefixed", kept)

            schedule = pb.Schedule(
                schedule_id=schedule_id,
                source_id=SOURCE_ID,
                place_id=PLACE_ID,
                practitioner_id=practitioner_id,
                territory_ids=[TERRITORY_ID],
            )
            request = pb.UpsertScheduleRequest(request_id=f"py-{schedule_id}", schedule=schedule)
            kept = call(directory.UpsertSchedule, request).schedule
            expect(kept.practitioner_id == f"8{practitioner_id}", "schedule is kept", kept)

        site = pb.EmergencySite(
            emergency_site_id=SITE_ID,
            name="Urgences d'exemple",
            kind=pb.EMERGENCY_SITE_KIND_DEPARTMENT,
            position=pb.GeoPoint(latitude=45.70, longitude=4.90),
            department="69",
        )
        kept = call(
            directory.UpsertEmergencySite, pb.UpsertEmergencySiteRequest(request_id="py-site", emergency_site=site)
        ).emergency_site
        expect(kept.time_zone == "Europe/Paris", "emergency site is kept", kept)

    def slots_are_published(self):
        pb = self.pb
        rows = [
            self.slot("slot-1", "schedule-a", 60),
            self.slot("slot-2", "schedule-b", 90),
            self.slot("slot-bad", "schedule-b", 120),
        ]
        rows[2].capacity = 0
        more = [self.slot("slot-3", "schedule-a", 120)]
        batches = [
            pb.PublishSlotsRequest(request_id="py-publish-1", source_id=SOURCE_ID, source_revision=1, rows=rows),
            pb.PublishSlotsRequest(request_id="py-publish-2", source_id=SOURCE_ID, source_revision=2, rows=more),
        ]
        try:
            answers = list(self.publishing.PublishSlots(iter(batches), timeout=CALL_DEADLINE_SECONDS))
        except grpc.RpcError as error:
            failed(f"PublishSlots was refused: {error}")
        asked = [answer.request_id for answer in answers]
        expect(asked == ["py-publish-1", "py-publish-2"], "each batch of a stream is answered, in order", answers)
        results = [result for answer in answers for result in answer.results]
        created, refused = pb.ROW_STATUS_CREATED, pb.ROW_STATUS_REFUSED
        statuses = [result.status for result in results]
        expect(statuses == [created, created, refused, created], "a bad row never takes down the good ones", answers)
        expect("capacity" in results[2].field, "the bad row names its field", results[2])

    def slot(self, slot_id, schedule_id, starts_in_minutes):
        slot = self.pb.SlotInput(
            slot_id=slot_id, schedule_id=schedule_id, modalities=["AMB"], visibilities=["PUBLIC", "PRO"]
        )
        start_at = self.now + datetime.timedelta(minutes=starts_in_minutes)
        slot.window.start_at.FromDatetime(start_at)
        slot.window.end_at.FromDatetime(start_at + datetime.timedelta(minutes=20))
        return slot

    def query(self, case_id="case-python", **changes):
        fields = {
            "case_id": case_id,
            "position": self.town_square,
            "care_level": "R3",
            "age": "P40Y",
            "needed_within_minutes": 240,
            "specialties": ["SM54"],
        }
        return self.pb.CareQuery(**{**fields, **changes})

    def find(self, query):
        return call(self.routing.FindCare, self.pb.FindCareRequest(query=query))

    def care_is_found(self):
        pb = self.pb
        found = self.find(self.query())
        expect(found.outcome == pb.CARE_OUTCOME_APPOINTMENT, "an appointment is found", found)
        decision = (found.decision_type, found.orientation_type)
        expect(decision == ("ORIENT", "CABINET"), "the outcome carries the national codes", found)
        offered = [option.slot_id for option in found.options]
        expect(offered == ["slot-1", "slot-2"], "the soonest slot of each schedule is offered, best first", found)
        best = found.options[0]
        who = (best.practitioner_id, best.place_id, best.modality, best.appointment_type)
        expect(who == (PRACTITIONER_WIRE_ID, PLACE_ID, "AMB", "ROUTINE"), "the option says who, where and how", best)
        expect(bool(best.sentence and found.sentence), "the answer and the option explain themselves", found)
        expect(found.HasField("stamp") and found.stamp.position > 0, "the answer is stamped", found)
        sites = [site.emergency_site_id for site in found.emergency_sites]
        expect(sites == [SITE_ID], "the nearest emergency site comes with every answer", found)
        again = self.find(self.query())
        expect([o.slot_id for o in again.options] == offered, "the same question has the same order of options", again)

    def hold_request(self, request_id, slot_id, case_id):
        query = self.query(case_id)
        return self.pb.HoldSlotRequest(request_id=request_id, slot_id=slot_id, case_id=case_id, query=query)

    def slot_is_held_once(self):
        request = self.hold_request("py-hold-1", "slot-1", "case-python-1")
        first = call(self.booking.HoldSlot, request)
        expect(first.hold.state == self.pb.CLAIM_STATE_HELD and not first.replayed, "a slot is held", first)
        retry = call(self.booking.HoldSlot, request)
        same = retry.hold.hold_id == first.hold.hold_id and retry.replayed
        expect(same, "a retry with the same request id returns the first hold", retry)
        kept = call(self.booking.GetHold, self.pb.GetHoldRequest(hold_id=first.hold.hold_id))
        expect(kept.hold.hold_id == first.hold.hold_id, "the hold can be looked up", kept)
        offered = [option.slot_id for option in self.find(self.query()).options]
        expect(offered == ["slot-2", "slot-3"], "a held slot is not offered", offered)
        return first.hold

    def request_id_is_judged(self):
        other = self.hold_request("py-hold-1", "slot-2", "case-python-1")
        refusal = Refusal(self.booking.HoldSlot, other, grpc.StatusCode.ALREADY_EXISTS)
        reused = refusal.reason() == "REQUEST_ID_REUSED"
        expect(reused, "other content under the same request id is refused with REQUEST_ID_REUSED", refusal)

    def loser_gets_alternatives(self):
        request = self.hold_request("py-hold-2", "slot-1", "case-python-2")
        refusal = Refusal(self.booking.HoldSlot, request, grpc.StatusCode.FAILED_PRECONDITION)
        expect(refusal.reason() == "SLOT_TAKEN", "the second to hold a slot is refused with SLOT_TAKEN", refusal)
        refused = refusal.detail(self.pb.HoldRefused)
        named = (refused.reason, refused.slot_id)
        expect(named == ("SLOT_TAKEN", "slot-1"), "the refusal names the slot and the reason", refused)
        alternatives = [option.slot_id for option in refused.alternatives]
        expected = ["slot-2", "slot-3"]
        expect(alternatives == expected, "the refusal carries the next best options", refused)

    def hold_becomes_a_booking(self, hold):
        pb = self.pb
        request = pb.ConfirmHoldRequest(request_id="py-confirm", hold_id=hold.hold_id)
        confirmed = call(self.booking.ConfirmHold, request).booking
        expect(confirmed.state == pb.CLAIM_STATE_BOOKED, "a hold becomes a booking", confirmed)
        expect(confirmed.booking_id == hold.hold_id, "the booking keeps the hold's identifier", confirmed)
        kept = call(self.booking.GetBooking, pb.GetBookingRequest(booking_id=confirmed.booking_id)).booking
        expect(kept == confirmed, "the booking can be looked up, with who and where", kept)
        where = (kept.practitioner.practitioner_id, kept.place.place_id)
        expect(where == (PRACTITIONER_WIRE_ID, PLACE_ID), "the booking says who and where", kept)
        return kept

    def cancelled_booking_frees_the_slot(self, booking):
        pb = self.pb
        request = pb.CancelBookingRequest(request_id="py-cancel", booking_id=booking.booking_id, reason="patient guéri")
        cancelled = call(self.booking.CancelBooking, request).booking
        expect(cancelled.state == pb.CLAIM_STATE_CANCELLED, "a booking is cancelled", cancelled)
        offered = [option.slot_id for option in self.find(self.query()).options]
        expect(offered[:1] == ["slot-1"], "its slot is offered again", offered)
        again = call(self.booking.HoldSlot, self.hold_request("py-hold-3", "slot-1", "case-python-3"))
        request = pb.ReleaseHoldRequest(request_id="py-release", hold_id=again.hold.hold_id)
        released = call(self.booking.ReleaseHold, request).hold
        expect(released.state == pb.CLAIM_STATE_RELEASED, "a hold is given back", released)

    def unknown_code_is_named(self):
        query = self.query(specialties=["SM540"], needed_within_minutes=0)
        request = self.pb.FindCareRequest(query=query)
        refusal = Refusal(self.routing.FindCare, request, grpc.StatusCode.INVALID_ARGUMENT)
        violations = refusal.detail(error_details_pb2.BadRequest).field_violations
        said = {violation.field: violation.description for violation in violations}
        fields = {"query.specialties[0]", "query.needed_within_minutes"}
        expect(set(said) == fields, "every wrong field is named at once", refusal)
        expect("SM54" in said["query.specialties[0]"].split("nearest")[-1], "the nearest known codes are named", said)

    def emergency_needs_no_slot(self):
        found = self.find(self.pb.CareQuery(care_level="R1"))
        dispatch = found.outcome == self.pb.CARE_OUTCOME_EMERGENCY_DISPATCH
        expect(dispatch and not found.options, "R1 is answered with EMERGENCY_DISPATCH, without a position", found)
        expect(bool(found.rule_id), "the escalation names its rule", found)

    def status_counts(self):
        status = call(self.operations.GetStatus, self.pb.GetStatusRequest())
        counts = status.counts
        seen = (counts.territories, counts.places, counts.practitioners, counts.schedules, counts.slots)
        expect(seen == (1, 1, 2, 2, 3) and counts.emergency_sites == 1, "the status counts what is kept", status)
        expect(status.writable and status.ledger_kind == "embedded", "the status says how state is kept", status)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: client.py ADDRESS, for instance client.py 127.0.0.1:50051")
    Client(sys.argv[1]).run()


if __name__ == "__main__":
    main()
